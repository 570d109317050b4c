"""Pure folds: events of an entity become consecutive states, with differences between two states."""
