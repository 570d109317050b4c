"""A second reading of the log, from the documentation alone: it imports nothing of the product.

It works slowly and plainly on the events as JSON, so that a wrong answer of the tracker is not
repeated here. `docs/domain.md`, `docs/time.md` and the descriptions of the schema are what it reads.
"""
