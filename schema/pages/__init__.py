"""Web pages: each a GraphQL document and a template of the same name."""
