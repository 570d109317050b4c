"""What can be asked about a moment."""
