"""Tools for assistants (Model Context Protocol): short, typed, verifiable responses."""
