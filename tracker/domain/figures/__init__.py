"""Figures, trade flows, and the preference among claims."""
