"""Build the clients: the wheel of the Python client, the package of the JavaScript client.

    python -m tools.clients DIRECTORY

Types and arguments are generated from `schema/schema.graphql`. The JavaScript client needs npm.
"""

import json
import keyword
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    build_schema,
)

ROOT = Path(__file__).parents[1]
CLIENTS = ROOT / "deploy" / "clients"
PACKAGE = Path("python", "src", "minerals_tracker")
ROOT_TYPES = {"Query", "Mutation", "Subscription"}


class Language(NamedTuple):
    """The forms of types in a language."""

    scalars: Mapping[str, str]
    """Types by scalar; all others are `text`."""
    text: str
    list_of: str
    nothing: str
    """Ending of a type that may be null."""


PYTHON = Language(
    {"Boolean": "bool", "Float": "float", "Int": "int", "JSON": "Any"}, "str", "list[{}]", " | None"
)
SCRIPT = Language(
    {"Boolean": "boolean", "Float": "number", "Int": "number", "JSON": "unknown"},
    "string",
    "Array<{}>",
    " | null",
)


def read_schema() -> GraphQLSchema:
    """Return the schema of this checkout."""
    return build_schema((ROOT / "schema" / "schema.graphql").read_text("utf-8"))


def named_types(schema: GraphQLSchema) -> Iterator[GraphQLNamedType]:
    """Yield the types of answers and inputs by name, without scalars and roots."""
    for name, type in sorted(schema.type_map.items()):
        hidden = name.startswith("__") or name in ROOT_TYPES
        if not hidden and not isinstance(type, GraphQLScalarType):
            yield type


def operations(schema: GraphQLSchema) -> str:
    """Return the fields of `asOf` with the types of their arguments, as JSON. Pure."""
    as_of = schema.type_map["AsOf"]
    assert isinstance(as_of, GraphQLObjectType)
    arguments = {
        name: {argument: str(each.type) for argument, each in field.args.items()}
        for name, field in as_of.fields.items()
    }
    return json.dumps(arguments, separators=(",", ":"))


def python_types(schema: GraphQLSchema) -> str:
    """Return the types of the schema as a Python module. Pure."""
    lines = [
        '"""Types of the GraphQL schema, generated from it."""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Any, Literal, TypeAlias, TypedDict",
    ]
    aliases: list[str] = []
    for type in named_types(schema):
        if isinstance(type, GraphQLEnumType):
            aliases.append(f"{type.name} = Literal[{', '.join(map(repr, type.values))}]")
        elif isinstance(type, GraphQLUnionType | GraphQLInterfaceType):
            names = " | ".join(each.name for each in schema.get_possible_types(type))
            aliases.append(f'{type.name}: TypeAlias = "{names}"')
        elif isinstance(type, GraphQLObjectType | GraphQLInputObjectType):
            fields = {name: type_in(PYTHON, field.type) for name, field in type.fields.items()}
            lines += ["", "", *python_dict(type.name, fields)]
    return "\n".join([*lines, "", "", *aliases, ""])


def python_dict(name: str, fields: dict[str, str]) -> list[str]:
    """Return the lines of a TypedDict; a field that is a word of Python needs the form of a call."""
    if any(keyword.iskeyword(field) for field in fields):
        inner = ", ".join(f'"{field}": "{type}"' for field, type in fields.items())
        return [f'{name} = TypedDict("{name}", {{{inner}}}, total=False)']
    body = [f"    {field}: {type}" for field, type in fields.items()]
    return [f"class {name}(TypedDict, total=False):", *body]


def type_in(language: Language, type: GraphQLType) -> str:
    """Return a type of the schema as one of a language."""
    if isinstance(type, GraphQLNonNull):
        return type_in(language, type.of_type).removesuffix(language.nothing)
    if isinstance(type, GraphQLList):
        return language.list_of.format(type_in(language, type.of_type)) + language.nothing
    assert isinstance(type, GraphQLNamedType)
    if isinstance(type, GraphQLScalarType):
        return language.scalars.get(type.name, language.text) + language.nothing
    return type.name + language.nothing


def script_types(schema: GraphQLSchema) -> str:
    """Return the types of the schema as declarations of TypeScript. Pure."""
    lines = [
        "// Types of the GraphQL schema, generated from it. Fields that were not selected are absent."
    ]
    for type in named_types(schema):
        if isinstance(type, GraphQLEnumType):
            lines.append(f"export type {type.name} = {' | '.join(map(json.dumps, type.values))};")
        elif isinstance(type, GraphQLUnionType | GraphQLInterfaceType):
            names = [each.name for each in schema.get_possible_types(type)]
            lines.append(f"export type {type.name} = {' | '.join(names) or 'never'};")
        elif isinstance(type, GraphQLObjectType | GraphQLInputObjectType):
            optional = "?" if isinstance(type, GraphQLInputObjectType) else ""
            fields = [
                f"  {name}{optional}: {type_in(SCRIPT, field.type)};"
                for name, field in type.fields.items()
            ]
            lines += [f"export interface {type.name} {{", *fields, "}"]
    return "\n".join([*lines, ""])


def write_sources(directory: Path) -> None:
    """Write the clients to a directory, with the generated files."""
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "node_modules")
    shutil.copytree(CLIENTS, directory, ignore=ignore, dirs_exist_ok=True)
    schema = read_schema()
    script = f"export default {operations(schema)};\n"
    (directory / PACKAGE / "operations.json").write_text(operations(schema), "utf-8")
    (directory / "javascript" / "operations.js").write_text(script, "utf-8")
    (directory / PACKAGE / "schema.py").write_text(python_types(schema), "utf-8")
    (directory / "javascript" / "schema.d.ts").write_text(script_types(schema), "utf-8")
    for client in ("python", "javascript"):
        shutil.copy(ROOT / "LICENSE", directory / client)
    for path in directory.rglob("*"):
        path.chmod(
            0o755 if path.is_dir() else 0o644
        )  # packages have equal bytes, whoever makes them


def main(destination: Path) -> None:
    """Build both packages into a directory."""
    destination.mkdir(parents=True, exist_ok=True)
    os.umask(0o022)  # packages have equal bytes, whoever makes them
    with tempfile.TemporaryDirectory(prefix="tracker-clients-") as temporary:
        sources = Path(temporary)
        write_sources(sources)
        build = (sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir")
        run(*build, destination, sources / "python")
        if shutil.which("npm"):
            run(
                "npm", "pack", "--silent", "--pack-destination", destination, sources / "javascript"
            )


def run(*command: str | Path) -> None:
    """Run a command; its output is shown only if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "dist").resolve())
