"""Routes of plain HTTP, beside GraphQL."""
