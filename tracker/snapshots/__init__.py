"""Snapshots: what publishers sent, byte for byte, by SHA-256."""
