"""The address of a page: its path, the moment, and what it is narrowed to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from schema.execution.url_parameters import MOMENT


@dataclass(frozen=True, slots=True)
class Address:
    """Where a page is. A page is a function of its address: what the address leaves out means now."""

    path: str
    valid: str | None = None
    """The day in the world; None: today (UTC)."""
    known: str | None = None
    """The time up to which the log is looked at, in the stead of a position."""
    position: str | None = None
    """The position up to which the log is looked at; None: all of it."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """All others, by their names; those of the path too."""
    path_names: frozenset[str] = frozenset()
    """The names of the parameters that stand in the path."""

    @property
    def pinned(self) -> bool:
        """Whether it names both a day and a position: the page then never changes."""
        return self.valid is not None and self.position is not None

    @property
    def moment(self) -> dict[str, str]:
        """What it says of the moment."""
        given = {"valid": self.valid, "known": self.known, "position": self.position}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def variables(self) -> dict[str, str]:
        """The moment as variables of a document."""
        return {MOMENT[name]: value for name, value in self.moment.items()}

    @property
    def query(self) -> dict[str, str]:
        """The parameters behind the `?`, without the moment."""
        return {
            name: value for name, value in self.parameters.items() if name not in self.path_names
        }

    def link(self, path: str, **parameters: object) -> str:
        """The address of another page at the same moment."""
        return href(path, {**parameters, **self.moment})

    def narrowed(self, **parameters: object) -> str:
        """This page with other parameters (None takes one away), from the beginning of its lists."""
        kept = {name: value for name, value in self.query.items() if name not in PAGE_PARAMETERS}
        return href(self.path, {**kept, **parameters, **self.moment})

    def at(self, **moment: object) -> str:
        """This page at another moment: `valid`, `known` and `position` that are given take the
        place of those it has (None takes one away)."""
        given = {**self.moment, **moment}
        if moment.get("position") is not None:
            given["known"] = None
        return href(self.path, {**self.query, **given})

    def as_form(self, ending: str) -> str:
        """The same as data, such as `csv`."""
        path = "/index" if self.path == "/" else self.path
        return href(f"{path}.{ending}", {**self.query, **self.moment})

    def pin(self, valid: str, position: str) -> Address:
        """The address of this page that never changes."""
        return replace(self, valid=valid, position=position, known=None)

    def __str__(self) -> str:
        return self.at()


Made: TypeAlias = Callable[[Address], Any]
"""From an address to the value of a variable."""

START = "start"
"""The parameter that numbers the first item shown; it selects nothing."""
PAGE_PARAMETERS = frozenset({"first", "after", "last", "before", START})
"""Parameters that say which part of a list is shown."""


def href(path: str, parameters: Mapping[str, object]) -> str:
    """A path and parameters as a link; parameters that are None or empty are left out."""
    given = {name: str(value) for name, value in parameters.items() if value not in (None, "")}
    return f"{path}?{urlencode(given, quote_via=quote, safe=':,.')}" if given else path


def path_of(*parts: str) -> str:
    """A path of parts in which anything may stand."""
    return "/" + "/".join(quote(part, safe="") for part in parts)
