"""The wheel of a release, installed as users do."""
