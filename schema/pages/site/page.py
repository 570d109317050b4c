"""A page: a GraphQL document and a template of the same name, beside the function between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from schema.execution.schema import SCHEMA
from schema.execution.url_parameters import MOMENT, UrlParameter, read_parameters, url_parameters
from schema.pages.site.address import START, Address, Made
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.own_document import WithDocument
from tracker.errors import InvalidInput

View: TypeAlias = Callable[[Mapping[str, Any], Address], Mapping[str, Any]]
"""From the data of an answer and the address to what the template needs beside the data: `title`,
and if it likes `description`, `turns` (the days on which something on the page turns; months and years
are passed over), `facts_until` (the day of the newest fact that is known of it, from which on the ruler is
dotted), `positions` (of the entries that are about it), `sources`
(the publishers that who cites the page names first) and `image` (an SVG: the page as `.svg`, `.png` and
`.pdf`). Raises NotFound."""


@dataclass(frozen=True, slots=True)
class TableOfPage:
    """The table (`/tables`) that has the rows of a page."""

    name: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    """By parameters of the page those of the table, where they have other names."""
    without: frozenset[str] = frozenset()
    """Parameters of the page that the table does not have, since they choose no rows."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the table that the page always has."""

    def parameters(self, given: Mapping[str, str]) -> dict[str, str]:
        """The parameters of the table for those of the page."""
        chosen = {
            self.renamed.get(name, name): value
            for name, value in given.items()
            if name not in self.without and name != START
        }
        return {**chosen, **self.fixed}


@dataclass(frozen=True)
class Page(WithDocument):
    """A page. Its document and its template lie beside the module that declares it."""

    module: str
    """The module that declares it (`__name__`), `schema.pages.TOPIC.NAME`."""
    path: str
    """Its address, with parameters in braces: `/controls/{key}`."""
    view: View
    section: str | None = None
    """The path of the entry of the navigation that it belongs to."""
    table: TableOfPage | None = None
    more_tables: tuple[TableOfPage, ...] = ()
    """Tables of what the page shows beside its own rows, such as the clauses of the controls."""
    feed: FeedOfPage | None = None
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Parameters that choose a drawing and ask nothing else, with the words that they may be; the
    first is meant where the address says none."""
    defaults: Callable[[Address], Mapping[str, str]] = lambda address: {}
    """Parameters with which it is asked where the address does not say, such as a day that lies
    before the one of the page."""
    texts: frozenset[str] = frozenset()
    """Parameters that `made` and the view read, and that the document does not have."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names of parameters, such as that of the API."""
    made: Mapping[str, Made] = field(default_factory=dict)
    """Variables of the document that follow from the address, and that it cannot give by itself."""

    @property
    def template(self) -> str:
        """The path of its template below `schema/pages`."""
        return self.module.removeprefix("schema.pages.").replace(".", "/") + ".html"

    @cached_property
    def parameters(self) -> Mapping[str, UrlParameter]:
        """What its address may say beside the moment."""
        found = url_parameters(SCHEMA._schema, self.question)
        given_otherwise = {*MOMENT.values(), *self.made}
        return {name: one for name, one in found.items() if name not in given_otherwise}

    def variables(self, address: Address) -> dict[str, Any]:
        """The variables of its document at an address. Raises InvalidInput."""
        asked = {**self.defaults(address), **address.parameters}
        for name, words in self.choices.items():
            if asked.pop(name, words[0]) not in words:
                raise InvalidInput(f"expected one of {', '.join(words)}", path=(name,))
        asked = {name: value for name, value in asked.items() if name not in {*self.texts, START}}
        return {
            **read_parameters("this page", self.parameters, asked),
            **{name: make(address) for name, make in self.made.items()},
            **address.variables,
        }


def entity_of(kind: str) -> Made:
    """The name in the log of the entity that a page is about, by the `key` of its path."""
    return lambda address: f"{kind}/{address.parameters['key']}"
