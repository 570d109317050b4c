"""A second reader of the published figures of dependence, to compare the readers of the product with.

It shares no code with them: other CSV library (Arrow), other rules, written from the files alone."""
