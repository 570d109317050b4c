"""The documentation in the product: `docs/` as pages, and search in it."""
