"""The tools, each a GraphQL document beside the conversion of its response."""
