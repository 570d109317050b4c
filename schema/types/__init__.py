"""Output types: the states of the domain, as GraphQL shows them."""
