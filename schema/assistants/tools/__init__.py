"""The tools, each a GraphQL document beside what becomes of its answer."""
