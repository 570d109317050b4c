"""Watched sources: their last polls and all polls."""
