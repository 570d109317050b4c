"""Programs for those who change the code, each `python -m tools.NAME`."""
