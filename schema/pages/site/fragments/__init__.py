"""Fragments that the documents of several pages share, each in a file of its name."""

from __future__ import annotations

import re
from importlib.resources import files

SPREAD = re.compile(r"\.\.\.(\w+)")


def with_fragments(document: str) -> str:
    """A document with the fragments of all pages that it spreads, each named as its file."""
    names = sorted(set(SPREAD.findall(document)))
    shared = [files(__package__).joinpath(f"{name}.graphql") for name in names]
    return "\n".join([document, *(file.read_text("utf-8") for file in shared if file.is_file())])
