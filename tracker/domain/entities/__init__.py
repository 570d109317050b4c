"""The base of entities: facts with sources, their history, folds, redactions."""
