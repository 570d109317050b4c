"""The corpus: facts and figures with their sources, included in the package."""
