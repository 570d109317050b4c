"""What happened: the facts of the critical-minerals world, their rules, and their log."""
