"""Pure: events of an entity become consecutive states, and what differs between two."""
