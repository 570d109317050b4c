"""Adapters: how the lists of each publisher are looked through."""
