"""Readers of publications and files, which produce facts: one module per publisher or format."""
