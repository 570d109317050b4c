"""Obligations of acts."""
