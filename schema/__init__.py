"""The GraphQL API and its HTTP interface."""
