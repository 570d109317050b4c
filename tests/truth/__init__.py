"""Legal test questions with expected results, queried through the public API."""
