"""The routes of tables as OpenAPI 3.1, made of the tables themselves. Pure."""

from functools import cache
from importlib.metadata import version
from typing import Any

from schema.execution.url_parameters import UrlParameter
from schema.tables.formats import FORMATS, LICENCE
from schema.tables.shape import Column
from schema.tables.table import Table, tables

PRODUCT = "critical-minerals-policy-tracker"
DAY = {"type": "string", "format": "date"}
SCALARS: dict[str, dict[str, Any]] = {
    "Boolean": {"type": "boolean"},
    "Int": {"type": "integer"},
    "Float": {"type": "number"},
    "Decimal": {"type": "string", "description": "A decimal number."},
    "Position": {"type": "string", "pattern": "^[0-9]+$"},
    "Day": DAY,
    "DateTime": {"type": "string", "format": "date-time"},
    "JSON": {},
}
MOMENT = [
    ("valid", DAY, "The effective date; today (UTC) if left out."),
    (
        "position",
        SCALARS["Position"],
        "The state of the log at this position; the latest if left out.",
    ),
    (
        "known",
        SCALARS["DateTime"],
        "The state of the log at this time; not together with `position`.",
    ),
    (
        "header",
        {"type": "boolean", "default": True},
        "Whether a CSV file begins with lines of `#` with the moment, digest and licence.",
    ),
]

EXAMPLES = {
    "commodities": "gallium,copper",
    "commodity": "rare_earths",
    "importer": "US",
    "destinations": "US,DE",
    "from": "2025-10-01",
    "group": "alliance:quad",
    "text": "licence",
    "valid": "2025-11-20",
    "years": "2022..2024",
}
"""Example values of the day and of required parameters, with which each table can be tried. All those of
one table fit together."""

PARTS = {"answers": "QUESTION:yes", "contents": "dysprosium:CN:0.2"}
"""Notations of items of lists that have parts."""

EXAMPLES_OF = {
    table: {"commodity": "gallium", "valid": "2026-03-01"}
    for table in ("trade", "import-exposure", "import-origins", "reliance", "prices")
}
"""Other examples for tables that have no rows with these."""

REFUSALS = {
    "400": "A parameter is unknown or has a wrong value; the error says what was expected.",
    "401": "Reading needs a token, or the token is not valid.",
    "429": "The client sends too many requests, or has too many at a time.",
    "503": "The server cannot respond now; a later attempt may succeed.",
    "default": "An error with its code.",
}
"""The responses of all tables to requests that they refuse, by status."""


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
            "schemas": {"Error": _ERROR, **{name: _row(one) for name, one in tables().items()}},
        },
        "security": [{}, {"token": []}],
    }


_ERROR = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message", "extensions"],
                "properties": {
                    "message": {"type": "string"},
                    "extensions": {
                        "type": "object",
                        "required": ["code"],
                        "properties": {"code": {"type": "string"}, "path": {"type": "array"}},
                    },
                },
            },
        }
    },
}


def _operation(table: Table, ending: str) -> dict[str, Any]:
    media_type = FORMATS[ending].media_type.partition(";")[0]
    return {
        "operationId": f"{table.name}_{ending}",
        "summary": table.about,
        "parameters": [
            *(
                {
                    "name": name,
                    "in": "query",
                    "schema": schema,
                    "description": about,
                    **_example(table, name),
                }
                for name, schema, about in MOMENT
            ),
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
        about += f" Each is written like `{PARTS[parameter.name]}`."
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
    examples = EXAMPLES | EXAMPLES_OF.get(table.name, {})
    return {"example": examples[name]} if name in examples else {}
