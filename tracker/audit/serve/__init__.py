"""Proofs and tiles as the database has them."""
