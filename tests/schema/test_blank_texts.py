"""Blank filters are refused wherever a filter takes a text."""

from collections.abc import Iterator

from graphql import (
    GraphQLField,
    GraphQLList,
    get_named_type,
    get_nullable_type,
    is_required_argument,
)

from schema.execution.schema import CORE_SCHEMA
from tests.support.api import Api

NEEDED = {
    "id": '"eu-2021-821"',
    "commodity": '"gallium"',
    "commodities": '["gallium"]',
    "from": '"2024-01-01"',
    "to": '"2024-02-01"',
    "validAt": '"2024-01-01"',
    "groupBy": "[ISSUER]",
    "text": '"gallium"',
    "year": "2023",
    "years": "{from: 2023, to: 2023}",
    "of": '{alliance: "quad"}',
    "entity": '"alliance/quad"',
    "importer": '"US"',
    "input": '{commodity: "gallium"}',
    "destinations": '["US"]',
    "commands": "[]",
    "code": '"81129210"',
    "codeOf": '"US"',
    "MomentInput": '{validAt: "2024-01-01"}',
}
"""Required arguments besides the tested one, by name or type."""
WITH_BLANK_MEANING = {"id", "ids", "assignedTo"}
"""Lookups by an unknown name return null, and `assignedTo: ""` means nobody."""


def calls(type_: str) -> Iterator[tuple[str, str]]:
    """Return each field call with a blank text, by field and argument."""
    for name, field in CORE_SCHEMA.type_map[type_].fields.items():  # type: ignore[attr-defined]
        for argument, of in field.args.items():
            if get_named_type(of.type).name == "String" and argument not in WITH_BLANK_MEANING:
                yield f"{name}({argument})", _call(name, field, argument)


def _call(name: str, field: GraphQLField, blank: str) -> str:
    given = {
        one: NEEDED.get(get_named_type(of.type).name) or NEEDED[one]
        for one, of in field.args.items()
        if is_required_argument(of) and one != blank
    }
    is_list = isinstance(get_nullable_type(field.args[blank].type), GraphQLList)
    given[blank] = '[""]' if is_list else '""'
    arguments = ", ".join(f"{one}: {value}" for one, value in given.items())
    shown = " { __typename }" if hasattr(get_named_type(field.type), "fields") else ""
    return f"{name}({arguments}){shown}"


async def test_a_blank_text_is_refused_by_every_filter(api: Api) -> None:
    asked = [(name, f"asOf {{ {call} }}") for name, call in calls("AsOf")]
    asked += calls("Query")
    assert len(asked) > 100
    silent = set()
    for name, call in asked:
        answer = await api.post(f"{{ {call} }}")
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        assert "GRAPHQL_VALIDATION_FAILED" not in codes, answer
        if not codes:
            silent.add(name)
    assert silent == set()


async def test_a_blank_field_of_a_form_is_none(api: Api) -> None:
    whole = await api.request("GET", "/controls.csv?valid=2026-01-01")
    blank = await api.request(
        "GET", "/controls.csv?valid=2026-01-01&firm=&commodity=%20&search=%20"
    )
    assert blank.status_code == whole.status_code == 200
    assert (await api.request("GET", "/announcements?firm=%20&topic=")).status_code == 200


async def test_a_table_is_narrowed_by_nothing_blank(api: Api) -> None:
    for table in ("controls.csv?firm=%20", "claims.csv?years=", "transitions.csv?entity="):
        answer = await api.request("GET", f"/tables/{table}")
        assert answer.json()["errors"][0]["extensions"]["code"] == "INVALID_INPUT", table
