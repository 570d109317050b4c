"""Tools for assistants (Model Context Protocol): small typed answers that can be checked."""
