"""Faults at random moments under load, and what must be so after each: `python -m tests.faults`."""
