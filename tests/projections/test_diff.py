"""Differences between two states, field by field."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projections.fold.diff import IDENTITIES, FieldChange, content, diff
from projections.fold.timeline import timeline
from tests.support.fact_builders import (
    announced,
    claimed,
    clause,
    decided_facts,
    fact,
    retracted,
    state,
    suspended,
)
from tests.support.random_histories import History, histories, many
from tracker.domain.actors.alliance import Founded, MemberJoined, MemberLeft
from tracker.domain.controls.export_control_acts import Amended
from tracker.domain.entities.fact import Fact

CONTROL = "export-control/gallium"
FIGURE = "figure/rare_earths/CN/production/mine/2023"


def applied(before: Any, fields: Sequence[FieldChange]) -> Any:
    """Return the content of a state after these changes, each applied at its path."""
    after = deepcopy(before)
    for change in fields:
        if not change.path:
            return change.after
        name, *rest = change.path
        if name in IDENTITIES and rest:
            _put_item(after[name], IDENTITIES[name], rest, change.after)
        elif name in IDENTITIES and all(isinstance(key, str) for key in change.after):
            after[name].sort(key=lambda item: change.after.index(IDENTITIES[name](item)))
        else:
            _put(after, change.path, change.after)
    return after


def _put(fields: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for step in path[:-1]:
        fields = fields[step]
    fields[path[-1]] = value


def _put_item(items: list[Any], identity: Any, path: Sequence[str], value: Any) -> None:
    key, *inner = path
    found = [item for item in items if identity(item) == key]
    if inner:
        _put(found[0], inner, value)
    elif value is None:
        items.remove(found[0])
    else:
        items.append(value)


def between(stream: str, facts: Sequence[Fact], one: str, other: str) -> list[tuple[Any, ...]]:
    """Return the differences between two days, as tuples."""
    known = decided_facts(stream, *facts)
    changes = diff(state(known, stream, one), state(known, stream, other))
    return [(change.path, change.before, change.after) for change in changes]


@many
@given(histories(), st.data())
def test_the_differences_turn_one_state_into_the_other(
    history: History, data: st.DataObject
) -> None:
    stream, known = history
    counts = st.integers(0, len(known))
    states = [
        None,
        *(
            version.state
            for count in (data.draw(counts), data.draw(counts))
            for version in timeline(stream, known[:count])
        ),
    ]
    before, after = data.draw(st.sampled_from(states)), data.draw(st.sampled_from(states))
    assert applied(content(before), diff(before, after)) == content(after)
    assert bool(diff(before, after)) == (content(before) != content(after))


def test_a_clause_is_reported_by_its_id_and_a_field_that_had_its_default_by_its_value() -> None:
    changes = between(
        CONTROL, [announced(clause("1"), clause("2")), suspended("2")], "2025-11-08", "2025-11-09"
    )
    assert changes == [
        (("clauses", "2", "status"), "in_force", "suspended"),
        (("clauses", "2", "suspendedFrom"), None, "2025-11-09"),
        (("clauses", "2", "suspendedUntil"), None, "2026-11-27"),
        (("clauses", "2", "returnsOn"), None, "2026-11-28"),
    ]
    wider = fact(Amended, "2025-01-01", clauses=[clause("1", territory="also_abroad")])
    assert between(CONTROL, [announced(), wider], "2024-12-31", "2025-01-01") == [
        (("clauses", "1", "clause", "territory"), "home", "also_abroad")
    ]


def test_an_added_clause_is_a_change_of_its_own() -> None:
    more = fact(Amended, "2025-01-01", clauses=[clause("2")])
    [(path, before, after)] = between(CONTROL, [announced(), more], "2024-12-31", "2025-01-01")
    assert (path, before, after["clause"]["id"]) == (("clauses", "2"), None, "2")


def test_members_are_reported_by_place_and_claims_by_publisher_edition_and_version() -> None:
    quad = [
        fact(Founded, "2021-01-01", name="Quad", members=["US", "JP"]),
        fact(MemberJoined, "2025-01-01", member="IN"),
        fact(MemberLeft, "2025-01-01", member="JP"),
    ]
    joined = {"place": "IN", "since": "2025-01-01", "role": "member"}
    assert between("alliance/quad", quad, "2024-12-31", "2025-01-01") == [
        (("members", "JP"), {"place": "JP", "since": "2021-01-01", "role": "member"}, None),
        (("members", "IN"), None, joined),
    ]
    restated = [claimed(240_000), claimed(250_000, version="1.1", published_on="2024-03-01")]
    paths = [path for path, _, _ in between(FIGURE, restated, "2024-02-01", "2024-03-01")]
    assert paths == [("claims", "usgs/MCS 2024", "latest"), ("claims", "usgs/MCS 2024/1.1")]


def test_another_order_is_reported_by_identities() -> None:
    quad = fact(Founded, "2021-01-01", name="Quad", members=["US", "JP"])
    turned = fact(Founded, "2021-01-01", name="Quad", members=["JP", "US"])
    known = decided_facts("alliance/quad", quad, retracted("e1"), turned)
    before, after = (state(known[:count], "alliance/quad", "2021-01-01") for count in (1, 3))
    assert diff(before, after) == (FieldChange(("members",), ["US", "JP"], ["JP", "US"]),)


def test_items_with_the_same_identity_are_compared_as_values() -> None:
    known = decided_facts(
        FIGURE,
        claimed(1, edition="a/b"),
        claimed(2, edition="a", version="b", published_on="2024-02-01"),
    )
    before, after = (state(known, FIGURE, day) for day in ("2024-01-31", "2024-02-01"))
    [change] = diff(before, after)
    assert change.path == ("claims",)
    assert [item["quantity"]["value"] for item in change.after] == ["1", "2"]


def test_new_and_removed_parts_are_reported_as_a_whole() -> None:
    found = state(decided_facts(CONTROL, announced()), CONTROL, "2025-01-01")
    whole = content(found)
    assert "because" not in whole
    assert diff(None, found) == (FieldChange((), None, whole),)
    assert diff(found, None) == (FieldChange((), whole, None),)
    assert diff(None, None) == diff(found, found) == ()
