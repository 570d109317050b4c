"""Bundles: what an auditor takes away, and a database made from one."""
