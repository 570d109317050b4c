"""Adapters, driven without a network, and over the publishers that we play."""
