"""Shared parts of all pages: addresses, responses and the frame."""
