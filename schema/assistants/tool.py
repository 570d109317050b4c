"""A tool: a GraphQL document, and what becomes of its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from schema.assistants.answers import Completeness, LeftOut, ToolAnswer
from schema.assistants.arguments import Arguments
from schema.assistants.book import Book
from schema.assistants.json_schemas import json_schema
from schema.assistants.parts import Part, json_schema_of, shared_schemas
from schema.pages.site.address import href
from schema.pages.site.frame import completeness_of
from schema.pages.site.own_document import WithDocument
from schema.pages.site.words import NBSP
from tracker.errors import NotFound

MAX_ITEMS_BYTES = 24 * 1024
"""The items of an answer as JSON: about 8,000 tokens of a model."""
MAX_TEXT_CHARACTERS = 12_000
"""The items of an answer as text: each has an equal part of it, and LINE_CHARACTERS at least."""
LINE_CHARACTERS = 600
MOMENT = {"validAt": "day"}
"""By variables of documents the arguments of tools that have other names."""

Item: TypeAlias = dict[str, Any]
Node: TypeAlias = Mapping[str, Any]
Data: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Nodes:
    """What a document found, to be made items of."""

    nodes: Sequence[Node]
    total: int
    cursors: Sequence[str] = ()
    """The place of each in its list; empty where the list has no pages."""
    has_more: bool = False
    """Whether there are others behind these."""
    narrower: str = "narrow the question"
    """What to do about those that are left out, where the list has no pages."""

    @classmethod
    def of_page(cls, connection: Data) -> Nodes:
        """The nodes of a page of a connection."""
        edges = connection["edges"]
        return cls(
            [edge["node"] for edge in edges],
            connection["totalCount"],
            [edge["cursor"] for edge in edges],
            connection["pageInfo"]["hasNextPage"],
        )


class NotThere(NotFound):
    """What a key means is not recorded at the moment; `kinds` are those that it can be of."""

    def __init__(self, message: str, argument: str, key: str, *kinds: str):
        super().__init__(message, path=(argument,))
        self.key, self.kinds = key, kinds


@dataclass(frozen=True, slots=True)
class CheckableAnswer:
    """The answer of a tool as JSON data, and the same as text."""

    answer: dict[str, Any]
    text: str


def nothing_more(data: Data, arguments: Any, book: Book) -> Mapping[str, Any]:
    """No further fields."""
    return {}


@dataclass(frozen=True)
class Tool(WithDocument, Generic[Arguments]):
    """A tool. Its document lies beside the module that declares it."""

    module: str
    """The module that declares it (`__name__`)."""
    title: str
    description: str
    """What a model is told of it."""
    arguments: type[Arguments]
    part: Part
    """The part of an answer that an item is."""
    variables: Callable[[Arguments], Mapping[str, Any]]
    """The variables of the document beside the moment."""
    page: Callable[[Arguments, Data], tuple[str, Mapping[str, object]]]
    """The path and the parameters of the page that shows the same."""
    nodes: Callable[[Data, Arguments], Nodes]
    """Raises NotThere for a key that is not known."""
    item: Callable[[Node, Book], Item]
    line: Callable[[Item], str]
    """An item in one line of text."""
    more: Callable[[Data, Arguments, Book], Mapping[str, Any]] = nothing_more
    """Further fields of the answer,"""
    further: Mapping[str, Any] = field(default_factory=dict)
    """and their types, as those of computed fields of a `Part`."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """By variables the arguments that have other names."""

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """What it takes, as JSON Schema."""
        return json_schema(self.arguments)

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """What it answers, as JSON Schema."""
        schema = json_schema(ToolAnswer)
        own = {**self.further, "items": [self.part]}
        properties = {name: json_schema_of(kind) for name, kind in own.items()}
        shared = shared_schemas(own.values())
        return {
            **schema,
            **({"$defs": {**schema.get("$defs", {}), **shared}} if shared else {}),
            "properties": {**schema["properties"], **properties},
            "required": [*schema["required"], *own],
        }

    def variables_of(self, arguments: Arguments) -> dict[str, Any]:
        """The variables of its document; those that are not given are left out."""
        position = None if arguments.position is None else str(arguments.position)
        moment = {"validAt": arguments.day, "position": position}
        given = {**moment, **self.variables(arguments)}
        return {name: value for name, value in given.items() if value is not None}

    def argument_of(self, variable: str) -> str:
        """The argument that a variable of its document has its value of."""
        return self.renamed.get(variable) or MOMENT.get(variable, variable)

    def tell(self, data: Data, arguments: Arguments, origin: str) -> CheckableAnswer:
        """What it answers for the data of its document, at a server that is reached at `origin`."""
        moment = data["asOf"]
        book = Book(moment["validAt"])
        found = self.nodes(data, arguments)
        items = list(self._items(found.nodes, book))
        more = self.more(data, arguments, book)
        horizon = book.horizon(known_facts(moment))
        completeness = _completeness(data)
        path, parameters = self.page(arguments, data)
        answer = ToolAnswer(
            valid_at=moment["validAt"],
            position=int(moment["position"]),
            known_at=moment["knownAt"] or UNSET,
            digest=moment["digest"],
            address=origin + _pinned(path, parameters, moment),
            must_say=[_plain(one) for one in (*_gaps(completeness), *book.must_say(horizon))],
            horizon=horizon,
            completeness=completeness,
            sources=book.sources,
            total=found.total,
            left_out=left_out(found, len(items)),
        )
        text = as_text(self.title, answer, map(self.line, items))
        return CheckableAnswer({**msgspec.to_builtins(answer), **more, "items": items}, text)

    def _items(self, nodes: Iterable[Node], book: Book) -> Iterable[Item]:
        """As many items as there is room for; one at least."""
        room = MAX_ITEMS_BYTES
        for number, node in enumerate(nodes):
            item = self.item(node, book)
            room -= len(msgspec.json.encode(item))
            if room < 0 and number:
                return
            yield item


def _completeness(data: Data) -> Completeness | UnsetType:
    """The completeness of an answer, as its document asks for it."""
    found = completeness_of(data)
    if found is None:
        return UNSET
    return Completeness(
        level=found["level"], statement=found["statement"], until=found["until"] or UNSET
    )


def _gaps(of: Completeness | UnsetType) -> list[str]:
    """The sentence about acts that may be missing."""
    if not of or of.level == "COMPLETE":
        return []
    return [f"The records may lack acts. {of.statement}"]


def known_facts(moment: Data) -> list[Node]:
    """How much is known of issuers and publishers, where a document asks for it."""
    return [*moment.get("horizon", ()), *moment.get("horizons", {"nodes": ()})["nodes"]]


def _pinned(path: str, parameters: Mapping[str, object], moment: Mapping[str, Any]) -> str:
    """The address of a page that never changes."""
    return href(path, {**parameters, "valid": moment["validAt"], "position": moment["position"]})


def left_out(found: Nodes, shown: int) -> LeftOut | UnsetType:
    """What there was no room for; UNSET where all is shown."""
    missing = len(found.nodes) - shown
    if not missing and not found.has_more:
        return UNSET
    if found.cursors:
        return LeftOut(how="call again with this `after`", after=found.cursors[shown - 1])
    return LeftOut(how=found.narrower)


def as_text(title: str, answer: ToolAnswer, lines: Iterable[str]) -> str:
    """An answer as text: the moment, what must be said, the items, the sources and the address."""
    head = (
        f"{title}, as of {answer.valid_at} at log position {answer.position}"
        f" (state digest sha256:{answer.digest})."
    )
    said = [f"Must be said: {sentence}" for sentence in answer.must_say]
    texts = list(lines)
    room = max(LINE_CHARACTERS, MAX_TEXT_CHARACTERS // max(1, len(texts)))
    items = [f"- {_short(line, room)}" for line in texts] or ["Nothing is recorded that matches."]
    if answer.left_out:
        after = answer.left_out.after
        items.append(f"More is left out: {answer.left_out.how}{f' {after}' if after else ''}.")
    sources = [
        f"[{one.number}] {one.name}, by {one.publisher}, {one.published_on}, {one.url or 'no address'}"
        f"{'' if one.verified else ' (unverified)'}"
        for one in answer.sources
    ]
    return _plain("\n".join([head, *said, *items, *sources, f"Check at {answer.address}"]))


def _short(line: str, room: int) -> str:
    plain = " ".join(line.split())
    return plain if len(plain) <= room else f"{plain[: room - 1]}…"


def _plain(text: str) -> str:
    """A text as programs write it."""
    return text.replace(NBSP, " ")


def numbers(of: Sequence[int]) -> str:
    """The numbers of sources at the end of a line."""
    return f" [{', '.join(map(str, of))}]" if of else ""
