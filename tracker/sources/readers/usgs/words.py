"""Words of the USGS, from `words.toml`."""

import tomllib
from importlib.resources import files

WORDS: dict[str, dict[str, str]] = tomllib.loads(
    files(__package__).joinpath("words.toml").read_text("utf-8")
)
