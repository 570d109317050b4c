"""Citations of a page: as text, BibTeX, RIS and CSL-JSON. Pure.

The tracker is the author of its pages. A citation names the sources of the content, the moment, the position
of the log and the root of its events up to there. With these, everyone can verify that it is unaltered.
"""

import re
from collections.abc import Sequence
from typing import Any

import orjson
from msgspec import Struct

PRODUCT = "Critical-minerals policy tracker"


class CitedPage(Struct, frozen=True):
    """The cited page."""

    title: str
    url: str
    """Address that never changes."""
    valid_at: str
    position: str
    known_at: str | None
    log_root: str
    sources: Sequence[str] = ()
    """Publishers of the content."""

    @property
    def year(self) -> str:
        """Return the year in which the last event behind it was recorded."""
        return (self.known_at or self.valid_at)[:4]

    @property
    def note(self) -> str:
        """Return the sources, the moment and its proof."""
        sources = f"Sources: {'; '.join(self.sources)}. " if self.sources else ""
        return (
            f"{sources}As of {self.valid_at}, log position {self.position}, log root"
            f" {self.log_root}, checkpoint /log/checkpoint/{self.position}"
        )


def citations(cited: CitedPage) -> dict[str, str]:
    """Return the citation in each format, by its name."""
    return {
        "Text": as_text(cited),
        "BibTeX": as_bibtex(cited),
        "RIS": as_ris(cited),
        "CSL-JSON": as_csl_json(cited),
    }


def as_text(cited: CitedPage) -> str:
    """Return a sentence for a footnote."""
    return f"{PRODUCT}: “{cited.title}” ({cited.year}). {cited.note}. {cited.url}"


def as_bibtex(cited: CitedPage) -> str:
    """Return an entry of BibTeX."""
    fields = {
        "title": f"{{{_tex(cited.title)}}}",
        "author": f"{{{_tex(PRODUCT)}}}",
        "year": cited.year,
        "url": cited.url,
        "note": _tex(cited.note),
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{{_key(cited)},\n{lines}\n}}"


def as_ris(cited: CitedPage) -> str:
    """Return a record of RIS."""
    lines = [
        ("TY", "DATA"),
        ("TI", cited.title),
        ("AU", PRODUCT),
        ("PY", cited.year),
        ("UR", cited.url),
        ("N1", cited.note),
        ("ER", ""),
    ]
    return "\n".join(f"{name}  - {' '.join(value.split())}" for name, value in lines)


def as_csl_json(cited: CitedPage) -> str:
    """Return an item of the Citation Style Language."""
    item: dict[str, Any] = {
        "id": _key(cited),
        "type": "dataset",
        "title": cited.title,
        "author": [{"literal": PRODUCT}],
        "issued": {"date-parts": [[int(cited.year)]]},
        "URL": cited.url,
        "note": cited.note,
    }
    return orjson.dumps([item], option=orjson.OPT_INDENT_2).decode()


def _key(cited: CitedPage) -> str:
    word = "-".join(re.findall(r"[a-z0-9]+", cited.title.lower())[:4]) or "page"
    return f"{word}-{cited.valid_at}-{cited.position}"


def _tex(text: str) -> str:
    """Return a text with escaped commands of TeX."""
    text = text.replace("\\", r"\textbackslash ")
    return re.sub(r"([&%$#_{}])", r"\\\1", text).replace("~", r"\~{}").replace("^", r"\^{}")
