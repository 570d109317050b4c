"""What is not the same at two moments."""
