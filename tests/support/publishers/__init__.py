"""Publishers that are played here: what they have at their addresses is written, faults included."""
