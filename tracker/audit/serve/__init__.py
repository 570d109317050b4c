"""Proofs and tiles from the database."""
