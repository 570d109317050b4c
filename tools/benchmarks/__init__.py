"""Figures, measured by hand: `python -m tools.benchmarks.NAME`; `docs/benchmarks.md` has them.

`log`, `commands`, `graphql` and `start` are the commands; the other modules are what they are made
of. No test depends on the values.
"""
