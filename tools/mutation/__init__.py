"""Small wrong changes to the code, one at a time: do the tests notice?

`python -m tools.mutation --help` says how to run it; `docs/testing.md` has the score.

    mutants.py          what a mutant is, and all there are in a room
    python_changes.py   wrong changes of Python: the operators of mutmut, and some of ours
    sql_changes.py      wrong changes of SQL, which no tool makes
    coverage_map.py     which tests run a function, and how long they take
    tree.py             a copy of the checkout in which a mutant meets its tests
    results.py          what became of each mutant, kept in .mutation/, and the score
"""
