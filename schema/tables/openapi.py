"""The routes of tables as OpenAPI 3.1, made of the tables themselves. Pure."""

from functools import cache
from importlib.metadata import version
from typing import Any

from schema.execution.url_parameters import UrlParameter
from schema.tables.formats import FORMATS, LICENCE
from schema.tables.shape import Column
from schema.tables.table import Table, tables
from tracker.domain.basics.toml_files import read_toml

PRODUCT = "critical-minerals-policy-tracker"
DECLARED: dict[str, Any] = read_toml(__file__)
SCALARS: dict[str, dict[str, Any]] = DECLARED["scalars"]
REFUSALS: dict[str, str] = DECLARED["refusals"]


@cache
def describe_api() -> dict[str, Any]:
    """Return the description of all tables in all formats."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Critical-minerals policy tracker: tables",
            "version": version(PRODUCT),
            "description": f"Lists of the GraphQL API as files. Licence of the data: {LICENCE}.",
        },
        "servers": [{"url": "/", "description": "The server that this description comes from."}],
        "paths": {
            f"/tables/{name}.{ending}": {"get": _operation(one, ending)}
            for name, one in tables().items()
            for ending in FORMATS
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {
                name: {
                    "description": about,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
                    },
                }
                for name, about in REFUSALS.items()
            },
            "schemas": {
                "Error": DECLARED["error"],
                **{name: _row(one) for name, one in tables().items()},
            },
        },
        "security": [{}, {"token": []}],
    }


def _operation(table: Table, ending: str) -> dict[str, Any]:
    media_type = FORMATS[ending].media_type.partition(";")[0]
    return {
        "operationId": f"{table.name}_{ending}",
        "summary": table.about,
        "parameters": [
            *({"in": "query", **of, **_example(table, of["name"])} for of in DECLARED["moment"]),
            *(_parameter(table, one) for one in table.parameters.values()),
        ],
        "responses": {
            "200": {"description": table.about, "content": {media_type: _content(table, ending)}},
            **{name: {"$ref": f"#/components/responses/{name}"} for name in REFUSALS},
        },
    }


def _content(table: Table, ending: str) -> dict[str, Any]:
    if ending != "json":
        return {"schema": {"type": "string"}}
    rows = {"type": "array", "items": {"$ref": f"#/components/schemas/{table.name}"}}
    about = {"type": "object", "additionalProperties": {"type": "string"}}
    return {
        "schema": {
            "type": "object",
            "required": ["about", "rows"],
            "properties": {"about": about, "rows": rows},
        }
    }


def _row(table: Table) -> dict[str, Any]:
    columns = table.shape.columns
    return {
        "type": "object",
        "required": [column.name for column in columns],
        "properties": {column.name: _value(column) for column in columns},
        "additionalProperties": False,
    }


def _value(column: Column) -> dict[str, Any]:
    scalar = SCALARS.get(column.scalar, {"type": "string"})
    value = {"type": "array", "items": scalar} if column.many else scalar
    if "type" in value:
        value = {**value, "type": [value["type"], "null"]}
    return {**value, "description": column.description} if column.description else value


def _parameter(table: Table, parameter: UrlParameter) -> dict[str, Any]:
    schema = dict(SCALARS.get(parameter.scalar, {"type": "string"}))
    if parameter.words:
        schema["enum"] = parameter.words
    about = "A range, both ends inclusive, such as `2024..2025`." if parameter.is_range else ""
    about = "Several are separated by commas." if parameter.is_list else about
    if parameter.has_parts:
        about += f" Each is written like `{DECLARED['parts'][parameter.name]}`."
    if parameter.choices:
        words = ", ".join(f"`{name}:…`" for name in parameter.choices)
        about = f"One of {words}; several values are separated by commas."
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "schema": schema,
        **({"description": about} if about else {}),
        **_example(table, parameter.name),
    }


def _example(table: Table, name: str) -> dict[str, str]:
    examples, others = DECLARED["examples"], DECLARED["other_examples"]
    if table.name in others["tables"]:
        examples = examples | others["examples"]
    return {"example": examples[name]} if name in examples else {}
