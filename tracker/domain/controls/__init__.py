"""Export controls: acts, clauses, their status, coverage and legal basis."""
