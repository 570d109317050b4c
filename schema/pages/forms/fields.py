"""The fields of a form, from a GraphQL input and the typed text. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import graphql
from msgspec import Struct

from schema.pages.forms.state import Errors, State, is_one_of, joined
from tracker.domain.catalogue.commodities import commodities
from tracker.domain.catalogue.places import places
from tracker.domain.wording.phrases import field_phrase, with_capital, word_phrase

ALWAYS_OPEN = frozenset({"source"})
"""Optional groups of fields that are always open, because the domain requires them."""
LAST = ("source", "note", "quotation", "moreSources", "replacement")
"""Fields at the end of an input."""
LONG_TEXTS = frozenset({"note", "quotation", "exemptions", "account", "reason", "purpose"})
SELDOM = frozenset(
    {"moreSources", "originalTitle", "instrument", "official", "confidence", "primary", "revised"}
)
"""Fields below "More fields"."""
OFTEN_OF = {
    "ClauseInput": frozenset(
        {"id", "measure", "commodities", "destinations", "inForceFrom", "inForceUntil", "covers"}
    )
}
"""Fields of large inputs that are not below "More fields"."""
LABELS = {
    "hs": "HS codes",
    "id": "Key",
    "on": "Public on",
    "url": "Web address",
    "types": "Types of events",
    "maxBatchEvents": "Events per request, at most",
    "withProof": "Send an inclusion proof with each event",
    "withHmac": "Sign with a shared secret too",
    "overlapHours": "Hours for which the old keys sign too",
}
"""Labels of fields with unclear names."""
SUGGESTIONS = {
    **dict.fromkeys(("commodities", "commodity"), "commodities"),
    **dict.fromkeys(("actors", "destinations", "issuer", "member", "members"), "places"),
    **dict.fromkeys(("origins", "place", "places"), "places"),
}
"""Lists of suggestions by the fields that have them."""
SCALARS = {"Boolean": "yes_no", "Int": "number", "Decimal": "number", "Position": "number"}
"""Kinds of fields by scalars; all others are text."""
DAY_FORMS = "2025-11-09, 2025-11 or 2025"
"""Formats of a date, as precise as known."""


@dataclass(slots=True)
class Field:
    """A field of a form with its text."""

    name: str
    id: str
    label: str = ""
    help: str = ""
    kind: str = "text"
    """`text`, `long`, `number`, `yes_no`, `check`, `choice`; a `group` or a `list` of fields."""
    required: bool = False
    value: str = ""
    choices: Sequence[tuple[str, str, str]] = ()
    """Value, words and meaning of each choice."""
    fields: Sequence[Field] = ()
    """Fields of a group, or of the items of a list."""
    seldom: bool = False
    open: bool = True
    """Whether a group is open."""
    errors: Sequence[str] = ()
    suggestions: str | None = None
    """Name of a list of suggestions."""
    example: str = ""
    short: bool = False
    """Whether it belongs to a short form."""

    @property
    def filled(self) -> bool:
        """Return whether it has text."""
        return bool(self.value) or any(field.filled for field in self.fields)

    @property
    def wrong(self) -> bool:
        """Return whether it or a field in it has an error."""
        return any(field.errors for field in self.below())

    def below(self) -> Iterator[Field]:
        """Yield the field itself and all fields in it."""
        yield self
        for each in self.fields:
            yield from each.below()


class FieldBuilder(Struct, frozen=True):
    """Builder of the fields of one form.

    A short form has one line for each field: a list is words with commas, a flag is a checkbox.
    """

    id: str
    """Prefix of the ids of its fields."""
    errors: Errors
    short: bool = False
    omitted: frozenset[str] = frozenset()
    """Fields of the input that the page itself sets."""

    def object_fields(
        self, kind: graphql.GraphQLInputObjectType, state: State, within: str = ""
    ) -> list[Field]:
        """Make the fields of an input."""
        values = state if isinstance(state, dict) else {}
        names = list(values) if is_one_of(kind) else sorted(kind.fields, key=_rank)
        return [
            self._field(kind, name, values.get(name, ""), joined(within, name))
            for name in names
            if name not in self.omitted or within
        ]

    def confirmation(self, name: str, label: str, value: str) -> Field:
        """Make the field that confirms an action."""
        made = self._blank(name)
        made.label, made.value, made.required = label, value, True
        return made

    def _field(
        self, parent: graphql.GraphQLInputObjectType, name: str, state: State, path: str
    ) -> Field:
        source: graphql.GraphQLInputField = parent.fields[name]
        kind = graphql.get_nullable_type(source.type)
        made = self._blank(path)
        made.label = label_of(name)
        made.help = source.description or ""
        made.required = graphql.is_required_input_field(source)
        often = OFTEN_OF.get(parent.name)
        made.seldom = name in SELDOM if often is None else name not in often
        if self.short:
            _shorten(made, kind, state)
        else:
            self._fill(made, kind, name, state)
        made.open |= made.required or is_one_of(parent) or name in ALWAYS_OPEN or made.wrong
        made.seldom &= not made.wrong
        if getattr(kind, "name", "") == "Position" and name != "position":
            made.label += " position"
        return made

    def _blank(self, path: str) -> Field:
        id = f"{self.id}-{path}"
        return Field(path, id, errors=self.errors.get(path, ()), short=self.short)

    def _fill(self, made: Field, kind: Any, name: str, state: State) -> None:
        match kind:
            case graphql.GraphQLList():
                made.kind, made.fields = "list", self._items(made, kind, name, state)
            case graphql.GraphQLInputObjectType():
                made.kind, made.open = "group", bool(state)
                made.fields = self.object_fields(kind, state, made.name)
            case graphql.GraphQLEnumType():
                made.kind, made.value = "choice", _text(state)
                made.choices = _choices(kind)
            case _:
                made.kind, made.value = SCALARS.get(kind.name, "text"), _text(state)
                made.example = DAY_FORMS if kind.name == "PartialDate" else ""
                if made.kind == "text":
                    made.kind = "long" if name in LONG_TEXTS else "text"
                    made.suggestions = SUGGESTIONS.get(name)

    def _items(
        self, made: Field, kind: graphql.GraphQLList[Any], name: str, state: State
    ) -> list[Field]:
        inner = graphql.get_nullable_type(kind.of_type)
        states = state if isinstance(state, list) else []
        if not states and (made.required or not isinstance(inner, graphql.GraphQLInputObjectType)):
            states = [""]
        items = [self._blank(f"{made.name}.{index}") for index in range(len(states))]
        for number, (item, of) in enumerate(zip(items, states, strict=True), 1):
            item.label = f"{made.label}, {number}"
            self._fill(item, inner, name, of)
            item.open = True
        return items


def _shorten(made: Field, kind: Any, state: State) -> None:
    """Make a field of a short form."""
    made.value = _text(state)
    if isinstance(kind, graphql.GraphQLList):
        made.help += " Separate several with commas."
        return
    if isinstance(kind, graphql.GraphQLEnumType):
        made.kind, made.choices = "choice", _choices(kind)
        return
    made.kind = "check" if kind.name == "Boolean" else SCALARS.get(kind.name, "text")


def _choices(kind: graphql.GraphQLEnumType) -> list[tuple[str, str, str]]:
    """Return the values of an enum with their words and meanings."""
    return [
        (word, word_phrase(word), value.description or "") for word, value in kind.values.items()
    ]


def _rank(name: str) -> int:
    return name in LAST and LAST.index(name) + 1


def _text(state: State) -> str:
    return state if isinstance(state, str) else ""


def label_of(name: str) -> str:
    """Return a name of the API in words: `suspendedUntil` is `Suspended until`."""
    return with_capital(LABELS.get(name) or field_phrase(name))


def suggestions(fields: Sequence[Field]) -> dict[str, list[tuple[str, str]]]:
    """Return the lists of suggestions of fields: the key and the name of each item."""
    lists = {
        "commodities": [(str(of), of.name) for of in commodities()],
        "places": [(str(of), of.name) for of in places()],
    }
    needed = {each.suggestions for field in fields for each in field.below()}
    return {name: items for name, items in lists.items() if name in needed}
