"""Words of the USGS, from `words.toml`."""

from tracker.domain.basics.toml_files import read_toml

WORDS: dict[str, dict[str, str]] = read_toml(__file__)
