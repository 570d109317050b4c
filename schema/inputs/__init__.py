"""Arguments: names, parsers and errors."""
