"""Places: what each restricts, what is aimed at it, where it belongs, what it makes."""
