"""Charts: their geometry as pure functions, and macros that write them as SVG."""
