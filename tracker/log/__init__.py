"""The event log: one append-only table with gapless positions."""
