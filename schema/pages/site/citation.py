"""How a page is cited: as text, BibTeX, RIS and CSL-JSON. Pure.

It names the publishers of what the page shows first, then this tracker with the moment, the
position of the log and the digest of the state, by which anybody can show that it is unaltered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from projections.fold.replay import STATE_FORMAT

PRODUCT = "Critical-minerals policy tracker"


@dataclass(frozen=True, slots=True)
class CitedPage:
    """What is cited."""

    title: str
    url: str
    """The address that never changes."""
    valid_at: str
    position: str
    known_at: str | None
    digest: str
    publishers: Sequence[str] = ()

    @property
    def year(self) -> str:
        """The year in which the last event that it rests on was recorded."""
        return (self.known_at or self.valid_at)[:4]

    @property
    def note(self) -> str:
        """The moment and what proves it."""
        return (
            f"As of {self.valid_at}, log position {self.position}, state digest sha256:{self.digest}"
            f" (state format {STATE_FORMAT}), checkpoint /log/checkpoint/{self.position}"
        )


def citations(cited: CitedPage) -> dict[str, str]:
    """The citation in each form, by the name of the form."""
    return {
        "Text": as_text(cited),
        "BibTeX": as_bibtex(cited),
        "RIS": as_ris(cited),
        "CSL-JSON": as_csl_json(cited),
    }


def as_text(cited: CitedPage) -> str:
    """A sentence for a footnote."""
    publishers = f"{'; '.join(cited.publishers)}. " if cited.publishers else ""
    return f"{publishers}“{cited.title}”, {PRODUCT} ({cited.year}). {cited.note}. {cited.url}"


def as_bibtex(cited: CitedPage) -> str:
    """An entry of BibTeX."""
    authors = " and ".join(f"{{{_tex(name)}}}" for name in (*cited.publishers, PRODUCT))
    fields = {
        "title": f"{{{_tex(cited.title)}}}",
        "author": authors,
        "year": cited.year,
        "url": cited.url,
        "note": _tex(cited.note),
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{{_key(cited)},\n{lines}\n}}"


def as_ris(cited: CitedPage) -> str:
    """A record of RIS."""
    lines = [
        ("TY", "DATA"),
        ("TI", cited.title),
        *(("AU", name) for name in cited.publishers),
        ("PB", PRODUCT),
        ("PY", cited.year),
        ("UR", cited.url),
        ("N1", cited.note),
        ("ER", ""),
    ]
    return "\n".join(f"{name}  - {' '.join(value.split())}" for name, value in lines)


def as_csl_json(cited: CitedPage) -> str:
    """An item of the Citation Style Language."""
    item: dict[str, Any] = {
        "id": _key(cited),
        "type": "dataset",
        "title": cited.title,
        "publisher": PRODUCT,
        "issued": {"date-parts": [[int(cited.year)]]},
        "URL": cited.url,
        "note": cited.note,
    }
    if cited.publishers:
        item["author"] = [{"literal": name} for name in cited.publishers]
    return orjson.dumps([item], option=orjson.OPT_INDENT_2).decode()


def _key(cited: CitedPage) -> str:
    word = "-".join(re.findall(r"[a-z0-9]+", cited.title.lower())[:4]) or "page"
    return f"{word}-{cited.valid_at}-{cited.position}"


def _tex(text: str) -> str:
    """A text in which nothing is a command of TeX."""
    text = text.replace("\\", r"\textbackslash ")
    return re.sub(r"([&%$#_{}])", r"\\\1", text).replace("~", r"\~{}").replace("^", r"\^{}")
