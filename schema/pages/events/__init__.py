"""The log: its events, and each of them with its proof."""
