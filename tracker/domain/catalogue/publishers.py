"""Publishers of the sources of facts, declared in `publishers.toml` beside this file.

An authority is a publisher whose publications are the own text of a place or an alliance. An undeclared
publisher is not an authority.
"""

from collections.abc import Collection
from functools import cache, lru_cache
from urllib.parse import urlsplit

from msgspec import Struct

from tracker.domain.basics.toml_files import read_toml


class Publisher(Struct, frozen=True):
    """A declared publisher. It publishes all addresses below its `domains`."""

    id: str
    name: str
    domains: tuple[str, ...] = ()
    authority_of: tuple[str, ...] = ()
    applies_law: bool = True
    """Whether it applies law; gazettes and legislatures publish or pass it only."""

    @property
    def is_authority(self) -> bool:
        """Whether it is an authority of a place or an alliance."""
        return bool(self.authority_of)

    def publishes(self, url: str) -> bool:
        """Return whether an address is at one of its domains."""
        host = _host(url)
        return any(host == domain or host.endswith(f".{domain}") for domain in self.domains)


@cache
def publishers() -> dict[str, Publisher]:
    """Return all declared publishers by id."""
    declared = read_toml(__file__)
    return {
        id: Publisher(
            id,
            item["name"],
            tuple(item.get("domains", ())),
            tuple(item.get("authority_of", ())),
            item.get("applies_law", True),
        )
        for id, item in declared.items()
    }


def publishers_at(url: str) -> tuple[Publisher, ...]:
    """Return the declared publishers of the domain of an address; several may share it."""
    return tuple(one for one in publishers().values() if one.publishes(url))


@lru_cache(maxsize=4096)
def authorities_at(url: str) -> frozenset[str]:
    """Return the places and alliances whose authorities publish at the domain of an address."""
    return frozenset(owner for one in publishers_at(url) for owner in one.authority_of)


@lru_cache(maxsize=4096)
def is_authoritative(publisher: str, url: str | None, *, data_file: bool = False) -> bool:
    """Return whether a source is an authority's own text: at its own address, or in a data file that it
    published.

    Any other address is a copy or a report.
    """
    known = publishers().get(publisher)
    if known is None or not known.is_authority:
        return False
    return data_file or (url is not None and known.publishes(url))


def speaks_for(publisher: str, issuers: Collection[str]) -> bool:
    """Return whether a publisher is an authority of one of some places and alliances."""
    known = publishers().get(publisher)
    return known is not None and any(one in issuers for one in known.authority_of)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # not an address; recorded before addresses were validated
        return ""
