"""Random faults under load, and the checks after each: `python -m tests.faults`."""
