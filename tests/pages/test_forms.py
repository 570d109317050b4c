"""Forms follow from the inputs of mutations: fields, defaults, short lines of lists, errors at fields."""

from typing import Any

import pytest

from schema.pages.endpoints.actions import ACTIONS, ADD, RETRY, retry_of
from schema.pages.forms.form import FactForm
from schema.pages.review.actions import ACTIONS as DECISIONS
from schema.pages.review.actions import REJECT
from tests.support.cases import each_case
from tracker.errors import Forbidden, InvalidInput, Unavailable


def test_a_short_form_has_the_fields_of_its_input_with_their_defaults() -> None:
    fields = {field.name: field for field in ADD.form().fields}
    assert "owner" not in fields
    assert fields["url"].required
    assert (fields["maxBatchEvents"].value, fields["maxBatchEvents"].required) == ("1", False)
    assert fields["withProof"].kind == "check"
    assert fields["types"].help.endswith("Separate several with commas.")
    assert fields["after"].label == "After position"


def test_text_of_a_short_form_becomes_its_input() -> None:
    form = ADD.filled(
        {"url": "u", "types": "A.B, C.D,", "after": "0", "withHmac": "true", "x": "y"}
    )
    assert form.input() == {"url": "u", "types": ["A.B", "C.D"], "after": "0", "withHmac": True}
    assert not form.refused


@each_case("action", [*ACTIONS.values(), ADD, *DECISIONS.values()])
def test_every_action_has_a_form_whose_omitted_fields_are_those_of_its_input(action: Any) -> None:
    form = action.form()
    assert action.omitted <= form.kind.fields.keys()
    assert not action.omitted & {field.name for field in form.fields}
    assert all(field.label and field.id.startswith(f"{action.id}-") for field in form.fields)


def test_actions_of_one_kind_are_distinguished_by_their_keys() -> None:
    sent = retry_of("7").filled({"position": "7", "reason": "r"})
    assert retry_of("7").form(sent) is sent
    assert RETRY.form(sent) is not sent
    assert [field.id for field in retry_of("8").form(sent, position="8").fields] == [
        "retry-8-position",
        "retry-8-reason",
    ]


@each_case(
    ("path", "field"),
    [
        (("input", "types", 1), "types"),
        (("input", "url"), "url"),
        (("input", "owner"), None),
        ((), None),
    ],
)
def test_an_error_of_the_api_stands_at_the_nearest_field(path: Any, field: str | None) -> None:
    form = ADD.filled({"url": "u", "types": "A.B"})
    form.note(InvalidInput("wrong", path=path))
    assert [each.name for each in form.wrong] == ([field] if field else [])
    assert bool(form.problems) == (field is None)


def test_an_error_of_a_hidden_field_is_said_above_the_form() -> None:
    form = REJECT.filled({"revision": "x", "reason": "r"})
    form.input(id="1")
    assert form.problems == ["revision: expected a whole number"]


def test_an_error_in_a_proposal_names_its_place() -> None:
    form = REJECT.filled({})
    form.note(InvalidInput("wrong", path=("input", "proposal", "clauses", 0, "id")))
    assert form.problems == ["clauses.0.id: wrong"]


def test_only_errors_that_other_input_avoids_are_those_of_the_form() -> None:
    form = FactForm("announceExportControl", {})
    for error in (Forbidden("no"), Unavailable("later")):
        with pytest.raises(type(error)):
            form.note(error)
    form.note(InvalidInput("expected 2", code="VERSION_CONFLICT"))
    assert form.problems[0].startswith("The data have changed since")


def test_a_list_grows_behind_its_last_item_and_closes_gaps() -> None:
    pairs = [("clauses.0.id", "a"), ("clauses.3.id", "b")]
    form = FactForm.read("announceExportControl", pairs, {"add": "clauses"})
    assert form.state == {"clauses": [{"id": "a"}, {"id": "b"}, ""]}
    form = FactForm.read("announceExportControl", pairs, {"remove": "clauses.0"})
    assert form.state == {"clauses": [{"id": "b"}]}
