"""Read models: events folded into states on two time axes."""
