"""Figures, measured by hand: `python -m tests.benchmarks.NAME`. No test depends on their values."""
