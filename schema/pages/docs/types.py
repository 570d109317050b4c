"""A document for each type of the GraphQL schema, and one that lists them. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from graphql import GraphQLNamedType, GraphQLSchema, get_named_type

from schema.pages.docs.documents import Pages

NAME = re.compile(r"\w+")
SPECIAL = re.compile(r"([\[\]|<])")
"""Letters of types and descriptions that have a meaning in cells of Markdown."""


def type_pages(schema: GraphQLSchema) -> Pages:
    """Return the documents by their names: `types`, `types/ExportControl`."""
    types = {name: type for name, type in schema.type_map.items() if not name.startswith("__")}
    users = defaultdict[str, set[str]](set)
    for name, type in types.items():
        for _, used, _ in _fields(type):
            users[get_named_type(used).name].add(name)
    rows = [(_linked(name), types[name].description or "") for name in sorted(types)]
    head = ["# GraphQL types\n", "Types of the GraphQL schema of this server.\n\n## Types\n"]
    pages = {"types": [*head, *_table("type", rows)]}
    for name, type in types.items():
        pages[f"types/{name}"] = [*_lines(type), *_list("Used by", sorted(users[name]))]
    return Pages({name: ("\n".join(lines), str) for name, lines in pages.items()})


def _lines(type: GraphQLNamedType) -> Iterator[str]:
    yield f"# {type.name}\n\n{type.description}\n"
    yield from _list("Possible types", [each.name for each in getattr(type, "types", ())])
    fields = [(f"`{name}`", _linked(str(of)), about) for name, of, about in _fields(type)]
    yield from _table("field | type", fields)
    values = getattr(type, "values", {}).items()
    yield from _table("value", [(f"`{name}`", each.description) for name, each in values])


def _fields(type: GraphQLNamedType) -> Iterator[tuple[str, Any, str]]:
    """Yield the fields of a type and their arguments, with types and descriptions."""
    for name, field in getattr(type, "fields", {}).items():
        deprecated = f"Deprecated: {field.deprecation_reason} " if field.deprecation_reason else ""
        yield name, field.type, f"{deprecated}{field.description}"
        for argument, each in getattr(field, "args", {}).items():
            yield f"{name}({argument}:)", each.type, each.description


def _table(columns: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield f"| {columns} | description |\n|{' --- |' * len(rows[0])}"
    for *cells, about in rows:
        yield f"| {' | '.join([*cells, _cell(about)])} |"


def _list(heading: str, types: Iterable[str]) -> Iterator[str]:
    if links := ", ".join(map(_linked, types)):
        yield f"\n## {heading}\n\n{links}\n"


def _linked(type: str) -> str:
    """Return a type such as `[Clause!]!` with a link to its document."""
    link = NAME.sub(lambda name: f"\0{name[0]}\1(/docs/types/{name[0]})", type)
    return _cell(link).replace("\0", "[").replace("\1", "]")


def _cell(text: str) -> str:
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
