"""Sign-in with a token, and sign-out."""
