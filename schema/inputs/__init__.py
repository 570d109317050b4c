"""Arguments: how they are called, read and refused."""
