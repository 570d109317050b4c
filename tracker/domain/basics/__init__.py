"""Words, values, dates, units and texts: the materials of facts."""
