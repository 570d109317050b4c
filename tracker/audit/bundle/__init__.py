"""Bundles: exports of a log for auditors, and their import into a database."""
