"""Watched sources: what adapters make of lists, and how they are looked through."""
