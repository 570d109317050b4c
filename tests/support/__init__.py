"""Test support: builders, real servers, clients, logs for tampering."""
