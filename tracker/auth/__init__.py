"""Who calls and what they may do: scopes, tokens, OpenID Connect."""
