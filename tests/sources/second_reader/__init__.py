"""A second reader of the published figures of dependence.

It shares no code with the readers of the product: other CSV library (Arrow), other rules, written from the
files alone. `tests/sources/test_second_reader.py` compares both, cell by cell.
"""
