"""Receipts of answers: the issuer, and the version of the rules that derive answers."""
