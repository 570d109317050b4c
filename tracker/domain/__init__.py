"""Facts and rules. Pure: no database, no web, no clock."""
