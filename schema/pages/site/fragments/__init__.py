"""Fragments that the documents of several pages share, each in a file of its name."""

import re
from importlib.resources import files

SPREAD = re.compile(r"\.\.\.(\w+)")


def with_fragments(document: str) -> str:
    """Return a document with all shared fragments that it spreads, each named as its file."""
    texts: dict[str, str] = {}
    waiting = SPREAD.findall(document)
    while waiting:
        file = files(__package__).joinpath(f"{(name := waiting.pop())}.graphql")
        if name not in texts and file.is_file():
            texts[name] = file.read_text("utf-8")
            waiting += SPREAD.findall(texts[name])
    return "\n".join([document, *(texts[name] for name in sorted(texts))])
