"""Execution of documents: limits, cost, plans, caches."""
