"""Callers and their rights: scopes, tokens, OpenID Connect."""
