"""Benchmarks, run by hand as `python -m tools.benchmarks.NAME`; `docs/benchmarks.md` has the results.

Each command measures one target of that page; other modules are parts of these. No test depends on
the values.
"""
