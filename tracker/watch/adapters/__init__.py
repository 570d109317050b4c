"""Adapters: each reads the lists of one publisher."""
