"""The wheel of a release, installed as by users."""
