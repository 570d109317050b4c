"""Readers: one module per publication or file format."""
