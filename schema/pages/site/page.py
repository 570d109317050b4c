"""Pages: a GraphQL document and a template of the same name, with a function between them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import msgspec

from schema.execution.schema import CORE_SCHEMA
from schema.execution.url_parameters import MOMENT, UrlParameter, read_parameters, url_parameters
from schema.pages.site.address import START, Address, Made
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.own_document import WithDocument
from tracker.errors import InvalidInput

View: TypeAlias = Callable[[Mapping[str, Any], Address], Mapping[str, Any]]
"""A function from the data of a response and the address to further data for the template.

The result has `title` and optionally other keys. `description` is a sentence. `change_days` are the dates of
changes on the page; months and years are ignored. `facts_until` is the date of the newest known fact, after
which the ruler is dotted. `positions` are those of entries about the page. `sources` are the publishers
that a citation names first. `charts` are `Image`s by part, for frames of other sites; `chart` is also the
page as `.svg`, `.png` and `.pdf`. `answer_lines` are `AnswerLine`s, for the same frames, with sentences on
their `limits`.
`subject` is the commodity or place for search engines (`schema.metadata.linked_data`). Raises NotFound.
"""


class TableOfPage(msgspec.Struct, frozen=True):
    """The table (`/tables`) with the rows of a page."""

    name: str
    renamed: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Parameters of the table by those of the page, if their names differ."""
    without: frozenset[str] = frozenset()
    """Parameters of the page that the table does not have, since they select no rows."""
    needs: frozenset[str] = frozenset()
    """Parameters of the page without which there is no table."""
    needs_some: frozenset[str] = frozenset()
    """Parameters of the page; the table needs at least one of them."""
    refuses: frozenset[str] = frozenset()
    """Parameters of the page that the table cannot answer."""
    label: str = ""
    """Name for readers; empty: the name of the table."""
    fixed: dict[str, str] = msgspec.field(default_factory=dict)
    """Parameters of the table that the page does not have."""

    def answers(self, parameters: Mapping[str, str]) -> bool:
        """Whether there is a table for the parameters of the page."""
        has_some = not self.needs_some or bool(self.needs_some & parameters.keys())
        return has_some and self.needs <= parameters.keys() and not self.refuses & parameters.keys()

    def parameters(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Return the parameters of the table for those of the page."""
        return self.fixed | {
            self.renamed.get(name, name): value
            for name, value in parameters.items()
            if name not in self.without and name != START
        }


@dataclass(frozen=True)
class Page(WithDocument):
    """A page. Its document and its template are beside the declaring module."""

    module: str
    """Declaring module (`__name__`), `schema.pages.TOPIC.NAME`."""
    path: str
    """Address, with parameters in braces: `/controls/{key}`."""
    view: View
    section: str | None = None
    """Path of its entry in the navigation."""
    table: TableOfPage | None = None
    more_tables: tuple[TableOfPage, ...] = ()
    """Further tables of the page beside its own rows, such as the clauses of the controls."""
    feed: FeedOfPage | None = None
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Parameters that select only a drawing, with their words; the first is the default."""
    defaults: Callable[[Address], Mapping[str, str]] = lambda address: {}
    """Default parameters, such as a date before the one of the page."""
    texts: frozenset[str] = frozenset()
    """Parameters that `made` and the view read, and that the document does not have."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names of parameters, such as that of the API."""
    made: Mapping[str, Made] = field(default_factory=dict)
    """Variables of the document that are computed from the address."""
    without_codes: frozenset[str] = frozenset()
    """Parameters with texts, although other pages have codes in parameters of these names."""
    follows_check: bool = False
    """Whether alerts compare the shipment of its address, since it has no feed."""
    form_needs: tuple[str, str] | None = None
    """For a page whose template has a form that shows the `problem` of a parameter beside its field: a field
    that an empty form lacks, and what is expected there."""

    def field_of(self, error: InvalidInput) -> str | None:
        """Return the parameter that an error is about; None if it is none of this page."""
        return next((str(one) for one in error.path if one in self.parameters), None)

    @property
    def template(self) -> str:
        """Return the path of its template below `schema/pages`."""
        return self.module.removeprefix("schema.pages.").replace(".", "/") + ".html"

    @cached_property
    def parameters(self) -> Mapping[str, UrlParameter]:
        """Return the parameters of its address, without the moment."""
        parameters = url_parameters(CORE_SCHEMA, self.query)
        set_elsewhere = {*MOMENT.values(), *self.made}
        return {name: one for name, one in parameters.items() if name not in set_elsewhere}

    def variables(self, address: Address) -> dict[str, Any]:
        """Return the variables of its document at an address. Raises InvalidInput."""
        values = {**self.defaults(address), **address.parameters}
        for name, words in self.choices.items():
            if values.pop(name, words[0]) not in words:
                raise InvalidInput(f"expected one of {', '.join(words)}", path=(name,))
        values = {name: value for name, value in values.items() if name not in {*self.texts, START}}
        return {
            **read_parameters("this page", self.parameters, values),
            **{name: make(address) for name, make in self.made.items()},
            **address.variables,
        }


def entity_of(kind: str) -> Made:
    """Return a function for the name of a page's entity, from the `key` of its path."""
    return lambda address: f"{kind}/{address.parameters['key']}"
