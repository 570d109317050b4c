"""The event log: one table, gapless positions, nothing ever changed."""
