"""Review: what was found at publishers waits until a person accepts or rejects it."""
