"""Review: candidates from publishers wait until a person accepts or rejects them."""
