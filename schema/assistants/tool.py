"""A tool: a GraphQL document, and the conversion of its response."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import islice, takewhile
from typing import Any, Generic, TypeAlias

import msgspec
from graphql import OperationDefinitionNode, parse
from msgspec import UNSET, Struct, UnsetType, structs

from schema.assistants.answers import Completeness, LeftOut, ToolAnswer
from schema.assistants.arguments import Arguments
from schema.assistants.book import Book
from schema.assistants.json_schemas import json_schema
from schema.assistants.parts import Part, json_schema_of, shared_schemas
from schema.inputs.input_types import to_camel
from schema.pages.site.address import href
from schema.pages.site.frame import completeness_of
from schema.pages.site.own_document import WithDocument
from tracker.domain.wording.phrases import NBSP
from tracker.errors import NotFound

MAX_ITEMS_BYTES = 24 * 1024
"""Maximum size of the items of a response as JSON: about 8,000 tokens of a model."""
MAX_TEXT_CHARACTERS = 12_000
"""Maximum length of the items as text, shared equally, with at least LINE_CHARACTERS each."""
LINE_CHARACTERS = 600
MOMENT = {"validAt": "day"}
"""Arguments of tools by the variables of documents, if their names differ."""

Item: TypeAlias = dict[str, Any]
Node: TypeAlias = Mapping[str, Any]
Data: TypeAlias = Mapping[str, Any]


class Nodes(Struct, frozen=True):
    """The objects of a document for the items of a response."""

    nodes: Sequence[Node]
    total: int
    cursors: Sequence[str] = ()
    """Cursor of each in its list; empty if the list has no pages."""
    has_more: bool = False
    """Whether there are others after these."""
    narrower: str = "use narrower filters"
    """Advice about items that are left out, if the list has no pages."""

    @classmethod
    def of_page(cls, connection: Data) -> Nodes:
        """Return the nodes of a page of a connection."""
        edges = connection["edges"]
        return cls(
            [edge["node"] for edge in edges],
            connection["totalCount"],
            [edge["cursor"] for edge in edges],
            connection["pageInfo"]["hasNextPage"],
        )


class NotThere(NotFound):
    """A key without a record at the moment; `kinds` are its possible kinds."""

    def __init__(self, message: str, argument: str, key: str, *kinds: str):
        super().__init__(message, path=(argument,))
        self.key, self.kinds = key, kinds


class CheckableAnswer(Struct, frozen=True):
    """The response of a tool as JSON data, and as text."""

    answer: dict[str, Any]
    text: str


def no_variables(arguments: Any) -> Mapping[str, Any]:
    """Return no further variables."""
    return {}


def as_variable(value: Any) -> Any:
    """Return the value of an argument as that of a variable: words of vocabularies have their names."""
    if isinstance(value, list):
        return [as_variable(each) for each in value]
    return value.name if isinstance(value, StrEnum) else value


def nothing_more(data: Data, arguments: Any, book: Book) -> Mapping[str, Any]:
    """Return no further fields."""
    return {}


@dataclass(frozen=True)
class Tool(WithDocument, Generic[Arguments]):
    """A tool. Its document, beside the declaring module, begins with its title and its description."""

    module: str
    """Declaring module (`__name__`)."""
    arguments: type[Arguments]
    part: Part
    """Part of a response for an item."""
    page: Callable[[Arguments, Data], tuple[str, Mapping[str, object]]]
    """Function for the path and the parameters of the page with the same content."""
    nodes: Callable[[Data, Arguments], Nodes]
    """Function for the objects of the items. Raises NotThere for an unknown key."""
    item: Callable[[Node, Book], Item]
    line: Callable[[Item], str]
    """Function for an item in one line of text."""
    variables: Callable[[Arguments], Mapping[str, Any]] = no_variables
    """Function for the variables of the document that are not the moment or arguments of the same name."""
    more: Callable[[Data, Arguments, Book], Mapping[str, Any]] = nothing_more
    """Function for further fields of the response."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Types of the further fields, as those of computed fields of a `Part`."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Arguments by variables, if their names differ."""

    @cached_property
    def title(self) -> str:
        """Return its title."""
        return next(self._head())

    @cached_property
    def description(self) -> str:
        """Return its description for the model."""
        return " ".join(islice(self._head(), 1, None))

    def _head(self) -> Iterator[str]:
        """Yield the first lines of its document, which are comments."""
        lines = takewhile(lambda line: line.startswith("#"), self.document.splitlines())
        return (line.removeprefix("# ") for line in lines)

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """Return its arguments as JSON Schema."""
        return json_schema(self.arguments)

    @cached_property
    def variable_names(self) -> list[str]:
        """Return the variables of its document."""
        return [
            each.variable.name.value
            for definition in parse(self.document).definitions
            if isinstance(definition, OperationDefinitionNode)
            for each in definition.variable_definitions or ()
        ]

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """Return its response as JSON Schema."""
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
        """Return the variables of its document; missing ones are left out."""
        position = None if arguments.position is None else str(arguments.position)
        values = {
            **{to_camel(name): as_variable(of) for name, of in structs.asdict(arguments).items()},
            **{"validAt": arguments.day, "position": position},
            **self.variables(arguments),
        }
        return {name: values[name] for name in self.variable_names if values.get(name) is not None}

    def argument_of(self, variable: str) -> str:
        """Return the argument with the value of a variable of its document."""
        return self.renamed.get(variable) or MOMENT.get(variable, variable)

    def answer(self, data: Data, arguments: Arguments, origin: str) -> CheckableAnswer:
        """Return its response for the data of its document; `origin` is the address of the server."""
        moment = data["asOf"]
        book = Book(moment["validAt"])
        nodes = self.nodes(data, arguments)
        items = list(self._items(nodes.nodes, book))
        more = self.more(data, arguments, book)
        horizon = book.horizon(known_facts(moment))
        completeness = _completeness(data)
        path, parameters = self.page(arguments, data)
        answer = ToolAnswer(
            valid_at=moment["validAt"],
            position=int(moment["position"]),
            known_at=moment["knownAt"] or UNSET,
            log_root=moment["logRoot"],
            address=origin + _pinned(path, parameters, moment),
            receipt=origin + self.receipt_address(arguments, moment),
            must_say=[_plain(one) for one in (*_gaps(completeness), *book.must_say(horizon))],
            horizon=horizon,
            completeness=completeness,
            sources=book.sources,
            total=nodes.total,
            left_out=left_out(nodes, len(items)),
        )
        text = as_text(self.title, answer, map(self.line, items))
        return CheckableAnswer({**msgspec.to_builtins(answer), **more, "items": items}, text)

    def receipt_address(self, arguments: Arguments, moment: Mapping[str, Any]) -> str:
        """Return the address of the receipt of its response at a moment."""
        values = {
            **msgspec.to_builtins(arguments),
            "day": moment["validAt"],
            "position": int(moment["position"]),
        }
        present = {name: value for name, value in values.items() if value is not None}
        return href(
            f"/mcp/{self.name}.receipt", {"arguments": msgspec.json.encode(present).decode()}
        )

    def _items(self, nodes: Iterable[Node], book: Book) -> Iterable[Item]:
        """Yield as many items as fit; at least one."""
        room = MAX_ITEMS_BYTES
        for number, node in enumerate(nodes):
            item = self.item(node, book)
            room -= len(msgspec.json.encode(item))
            if room < 0 and number:
                return
            yield item


def _completeness(data: Data) -> Completeness | UnsetType:
    """Return the completeness of a response, if its document contains it."""
    completeness = completeness_of(data)
    if completeness is None:
        return UNSET
    return Completeness(
        level=completeness["level"],
        statement=completeness["statement"],
        until=completeness["until"] or UNSET,
    )


def _gaps(of: Completeness | UnsetType) -> list[str]:
    """Return the sentence about acts that may be missing."""
    if not of or of.level == "COMPLETE":
        return []
    return [f"The records may lack acts. {of.statement}"]


def known_facts(moment: Data) -> list[Node]:
    """Return the horizons of issuers and publishers, if a document contains them."""
    return [*moment.get("horizon", ()), *moment.get("horizons", {"nodes": ()})["nodes"]]


def _pinned(path: str, parameters: Mapping[str, object], moment: Mapping[str, Any]) -> str:
    """Return the address of a page that never changes."""
    return href(path, {**parameters, "valid": moment["validAt"], "position": moment["position"]})


def left_out(nodes: Nodes, shown: int) -> LeftOut | UnsetType:
    """Return the items that did not fit; UNSET if all did."""
    missing = len(nodes.nodes) - shown
    if not missing and not nodes.has_more:
        return UNSET
    if nodes.cursors:
        return LeftOut(how="call again with this `after`", after=nodes.cursors[shown - 1])
    return LeftOut(how=nodes.narrower)


def as_text(title: str, answer: ToolAnswer, lines: Iterable[str]) -> str:
    """Return a response as text: the moment, required statements, items, sources and address."""
    head = (
        f"{title}, as of {answer.valid_at} at log position {answer.position}"
        f" (log root {answer.log_root})."
    )
    text_lines = [f"Must be said: {sentence}" for sentence in answer.must_say]
    texts = list(lines)
    room = max(LINE_CHARACTERS, MAX_TEXT_CHARACTERS // max(1, len(texts)))
    items = [f"- {_short(line, room)}" for line in texts] or ["No record matches."]
    if answer.left_out:
        after = answer.left_out.after
        items.append(f"More is left out: {answer.left_out.how}{f' {after}' if after else ''}.")
    sources = [
        f"[{one.number}] {one.name}, by {one.publisher}, {one.published_on}, {one.url or 'no address'}"
        f"{'' if one.verified else ' (unverified)'}"
        for one in answer.sources
    ]
    return _plain(
        "\n".join(
            [
                head,
                *text_lines,
                *items,
                *sources,
                f"Check at {answer.address}",
                f"Receipt: {answer.receipt}",
            ]
        )
    )


def _short(line: str, room: int) -> str:
    plain = " ".join(line.split())
    return plain if len(plain) <= room else f"{plain[: room - 1]}…"


def _plain(text: str) -> str:
    """Return a text as programs write it."""
    return text.replace(NBSP, " ")


def numbers(of: Sequence[int]) -> str:
    """Return the numbers of sources at the end of a line."""
    return f" [{', '.join(map(str, of))}]" if of else ""
