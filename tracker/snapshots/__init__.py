"""Snapshots: responses of publishers, stored byte for byte by SHA-256."""
