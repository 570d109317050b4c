"""What you ask: the GraphQL API and its HTTP face."""
