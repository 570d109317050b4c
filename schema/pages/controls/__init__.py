"""Instruments that control trade: the list, and one instrument with its clauses on both axes."""
