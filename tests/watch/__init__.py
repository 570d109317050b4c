"""Watched sources: findings of adapters, and polls."""
