"""Mutation tests: small faulty changes to the code, one at a time, which tests should detect.

`python -m tools.mutation --help` lists the options; `docs/testing.md` has the score.

    mutants.py          mutants, and all mutants of a room
    python_changes.py   faulty changes of Python: operators of mutmut, and additional ones
    sql_changes.py      faulty changes of SQL, which no tool makes
    coverage_map.py     tests and durations by function
    tree.py             a copy of the checkout in which tests run on a mutant
    results.py          results of mutants in .mutation/, and the score
"""
