"""Benchmarks, run by hand as `python -m tools.benchmarks.NAME`; `docs/benchmarks.md` has the results.

`log`, `commands`, `graphql` and `start` are the main commands; others are listed there or are parts of
these. No test depends on the values.
"""
