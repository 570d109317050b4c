"""Recorded answers of the released derivation, and the log that they depend on."""
