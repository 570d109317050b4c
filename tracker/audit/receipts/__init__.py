"""Receipts: signed statements of the answer to a query, which can be verified without the operator."""
