"""English phrases, from which everything that speaks makes its sentences."""
