"""What is asked over plain HTTP, beside GraphQL."""
