"""What we know: events folded into states on two time axes."""
