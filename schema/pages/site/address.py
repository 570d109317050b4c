"""Addresses of pages: path, moment and filters. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from schema.execution.url_parameters import MOMENT, SCENARIO, require_record


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a page. A page is a function of its address; a missing moment means now."""

    path: str
    valid: str | None = None
    """Effective date; None: today (UTC)."""
    known: str | None = None
    """Time up to which the log is read, instead of a position."""
    position: str | None = None
    """Position up to which the log is read; None: all of it."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """All other parameters by name, including those of the path."""
    path_names: frozenset[str] = frozenset()
    """Names of the parameters in the path."""
    scenario: str | None = None
    """Key of the scenario in which it is read; None for the record."""

    @property
    def pinned(self) -> bool:
        """Return whether it has both a date and a position: the page then never changes."""
        return None not in (self.valid, self.position) and self.scenario is None

    @property
    def moment(self) -> dict[str, str]:
        """Return its parameters of the moment, and its scenario."""
        values = {
            "valid": self.valid,
            "known": self.known,
            "position": self.position,
            SCENARIO: self.scenario,
        }
        return {name: value for name, value in values.items() if value is not None}

    @property
    def variables(self) -> dict[str, str]:
        """Return the moment as variables of a document."""
        return {MOMENT[name]: value for name, value in self.moment.items() if name != SCENARIO}

    @property
    def query(self) -> dict[str, str]:
        """Return the parameters after the `?`, without the moment."""
        return {
            name: value for name, value in self.parameters.items() if name not in self.path_names
        }

    def link(self, path: str, **parameters: object) -> str:
        """Return the address of another page at the same moment."""
        return href(path, {**parameters, **self.moment})

    def narrowed(self, **parameters: object) -> str:
        """Return the link to this page with other parameters, from the start of its lists; None removes
        one."""
        remaining = {
            name: value for name, value in self.query.items() if name not in PAGE_PARAMETERS
        }
        return href(self.path, {**remaining, **parameters, **self.moment})

    def at(self, **moment: object) -> str:
        """Return the link to this page at another moment.

        Given `valid`, `known` and `position` replace the present ones; None removes one.
        """
        values = {**self.moment, **moment}
        if moment.get("position") is not None:
            values["known"] = None
        return href(self.path, {**self.query, **values})

    def as_form(self, ending: str) -> str:
        """Return the link to the same page as data, such as `csv`."""
        path = "/index" if self.path == "/" else self.path
        return href(f"{path}.{ending}", {**self.query, **self.moment})

    def pin(self, valid: str, position: str) -> Address:
        """Return the address of this page that never changes."""
        return replace(self, valid=valid, position=position, known=None)

    def require_record(self, of: str) -> None:
        """Refuse a part of a page, such as its feed, in a scenario. Raises InvalidInput."""
        require_record(self.scenario, of)

    def __str__(self) -> str:
        return self.at()


Made: TypeAlias = Callable[[Address], Any]
"""A function from the address to the value of a variable."""

START = "start"
"""The parameter that numbers the first item shown; it selects nothing."""
PAGE_PARAMETERS = frozenset({"first", "after", "last", "before", START})
"""Parameters that say which part of a list is shown."""


PATHS = {
    "alliance": "alliances",
    "announcement": "announcements",
    "export-control": "controls",
    "figure": "figures",
    "source": "sources",
    "tariff-line": "tariffs",
}
"""Paths of the pages of entities, by kind."""


def href(path: str, parameters: Mapping[str, object]) -> str:
    """Return a path and parameters as a link; parameters that are None or empty are left out."""
    values = {name: str(value) for name, value in parameters.items() if value not in (None, "")}
    return f"{path}?{urlencode(values, quote_via=quote, safe=':,.')}" if values else path


def path_of(*parts: str) -> str:
    """Return a path of parts with any characters."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def entity_path(entity: str) -> str | None:
    """Return the page of an entity by its name in the log (`alliance/quad`); None if it has none."""
    kind, _, key = entity.partition("/")
    return f"/{PATHS[kind]}/{key}" if kind in PATHS else None
