"""Texts of acts: their units, and the differences between two versions."""
