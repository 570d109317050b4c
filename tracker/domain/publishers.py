"""Publishers: who published what facts were read in, declared in `publishers.toml` beside this file.

An authority is a publisher that speaks for a place or an alliance: what it publishes is the text of
the issuer, the actor or the alliance itself. A publisher that is not declared is no authority.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Publisher:
    """A declared publisher. What lies below one of its `domains` is published by it."""

    id: str
    name: str
    domains: tuple[str, ...] = ()
    authority_of: tuple[str, ...] = ()

    @property
    def is_authority(self) -> bool:
        """Whether it speaks for a place or an alliance."""
        return bool(self.authority_of)

    def publishes(self, url: str) -> bool:
        """Whether an address is at one of its domains."""
        host = _host(url)
        return any(host == domain or host.endswith(f".{domain}") for domain in self.domains)


@cache
def publishers() -> dict[str, Publisher]:
    """All declared publishers by their ids."""
    declared = tomllib.loads(files(__package__).joinpath("publishers.toml").read_text("utf-8"))
    return {
        id: Publisher(
            id, item["name"], tuple(item.get("domains", ())), tuple(item.get("authority_of", ()))
        )
        for id, item in declared.items()
    }


def publishers_at(url: str) -> tuple[Publisher, ...]:
    """The declared publishers at whose domains an address is; more than one where they share it."""
    return tuple(one for one in publishers().values() if one.publishes(url))


@lru_cache(maxsize=4096)
def is_authoritative(publisher: str, url: str | None, *, data_file: bool = False) -> bool:
    """Whether what was read is an authority's own text: it is at its own address, or in a file of
    data that it published. An address elsewhere is a copy or a report."""
    known = publishers().get(publisher)
    if known is None or not known.is_authority:
        return False
    return data_file or (url is not None and known.publishes(url))


def speaks_for(publisher: str, issuers: Collection[str]) -> bool:
    """Whether a publisher is an authority of one of some places and alliances."""
    known = publishers().get(publisher)
    return known is not None and any(one in issuers for one in known.authority_of)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # not an address; recorded before there was a rule for them
        return ""
