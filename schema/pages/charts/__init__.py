"""Drawings: their geometry as pure functions, and macros that write it as SVG."""
