"""Simulated publishers, with their faults."""
