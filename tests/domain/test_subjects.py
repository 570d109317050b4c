"""Subjects of facts are derived from their declarations, so that no new fact is missed."""

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from tests.support.cases import each_case
from tests.support.fact_builders import announced, claimed, clause, fact, flow_claimed, source
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import Value
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Actor, Place
from tracker.domain.controls.export_control_acts import ClausesFact
from tracker.domain.entities.fact import NOT_A_SUBJECT, Fact
from tracker.domain.events.registry import FACTS
from tracker.log.selection import Selection, is_selected, types_with_subjects

DECLARED = {
    "Alliance.Founded members": True,
    "Alliance.MemberJoined member": True,
    "Alliance.MemberLeft member": True,
    "Alliance.RoleChanged member": True,
    "Alliance.MembersListed members": True,
    "Announcement.Made actors": True,
    "Announcement.Made commodities": True,
    "ExportControl.Announced issuer": True,
    "ExportControl.Announced clauses commodities": True,
    "ExportControl.Announced clauses destinations": False,
    "ExportControl.Announced clauses origins": False,
    "ExportControl.Announced clauses exceptions places": False,
    "ExportControl.Announced clauses quotas places": False,
    "ExportControl.Announced clauses items commodity": True,
    "ExportControl.Announced clauses exempt_items commodity": False,
    "ExportControl.Amended clauses commodities": True,
    "ExportControl.Amended clauses destinations": False,
    "ExportControl.Amended clauses origins": False,
    "ExportControl.Amended clauses exceptions places": False,
    "ExportControl.Amended clauses quotas places": False,
    "ExportControl.Amended clauses items commodity": True,
    "ExportControl.Amended clauses exempt_items commodity": False,
    "ExportControl.Disputed commodities": True,
    "ExportControl.Related relation places": False,
    "ExportControl.Related relation except_places": False,
    "Firm.Identified place": True,
    "Figure.Claimed series commodity": True,
    "Figure.Claimed series place": True,
    "Figure.Claimed origins parts place": False,
    "Figure.Claimed origins parts includes": False,
    "TradeFlow.Claimed importer": True,
    "TradeFlow.Claimed origins parts place": False,
    "TradeFlow.Claimed origins parts includes": False,
    "TariffEdition.Read place": True,
    "TariffLine.Stated place": False,
    "TariffLine.Changed place": False,
    "TariffLine.Withdrawn place": False,
    "Preference.Ordered commodity": True,
    "Source.Watched issuers": True,
    "Coverage.Declared issuer": True,
    "Coverage.Declared commodities": True,
    "Obligation.Stated issuer": True,
    "Obligation.Stated commodities": True,
    "Text.Recorded issuer": True,
}
"""Every field with commodities, places or actors, and whether it is a subject of the fact. New fields
need an entry; for example, a control is not about the places that it targets."""


def declared(hint: Any, path: str) -> Iterator[str]:
    """Return the fields of type commodity, place or actor, by their type hints."""
    if get_origin(hint) is Annotated or get_args(hint):
        for part in get_args(hint)[: 1 if get_origin(hint) is Annotated else None]:
            yield from declared(part, path)
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        for name, inner in get_type_hints(hint, include_extras=True).items():
            yield from declared(inner, f"{path} {name}")
    elif hint in (Commodity, Place, Actor):
        yield path


def test_somebody_decided_of_every_field_whether_its_fact_is_about_it() -> None:
    found = {path for type_, kind in FACTS.items() for path in declared(kind, type_)}
    assert found == set(DECLARED)


EXAMPLES = {
    "Alliance.Founded": ({"name": "A", "members": ["JP"]}, [], ["JP"]),
    "Alliance.MemberJoined": ({"member": "JP"}, [], ["JP"]),
    "Alliance.MemberLeft": ({"member": "JP"}, [], ["JP"]),
    "Announcement.Made": (
        {"kind": "statement", "title": "A", "actors": ["JP", "quad"], "commodities": ["cobalt"]},
        ["cobalt"],
        ["JP", "quad"],
    ),
    "ExportControl.Announced": (
        {
            "issuer": "JP",
            "direction": "export",
            "title": "A",
            "clauses": [clause(commodities=["cobalt"], destinations=["US"])],
        },
        ["cobalt"],
        ["JP"],
    ),
    "ExportControl.Amended": (
        {"clauses": [clause(commodities=["cobalt"], destinations=["US"])]},
        ["cobalt"],
        [],
    ),
    "ExportControl.Disputed": ({"account": "A", "commodities": ["cobalt"]}, ["cobalt"], []),
    "Coverage.Declared": (
        {
            "issuer": "JP",
            "acts": "export_control",
            "name": "A",
            "last": "2025-01-01",
            "checkedBy": "B",
            "commodities": ["cobalt"],
        },
        ["cobalt"],
        ["JP"],
    ),
    "Source.Watched": (
        {
            "name": "A",
            "adapter": "feed",
            "address": "https://example.org/",
            "everyHours": 12,
            "issuers": ["JP", "quad"],
        },
        [],
        ["JP", "quad"],
    ),
    "Preference.Ordered": (
        {"commodity": "cobalt", "publishers": ["usgs"], "reason": "A"},
        ["cobalt"],
        [],
    ),
}


@each_case("type_", EXAMPLES)
def test_a_fact_is_about_what_it_names_and_nothing_else(type_: str) -> None:
    fields, goods, places = EXAMPLES[type_]
    example = [fact(FACTS[type_], "2025-01-01", **fields)]
    assert [
        c for c in ("cobalt", "gallium") if is_selected(example, Selection(commodities=[c]))
    ] == goods
    assert [
        p for p in ("JP", "quad", "US") if is_selected(example, Selection(places=[p]))
    ] == places


def test_a_claim_is_about_its_commodity_and_place() -> None:
    assert is_selected(
        [claimed(1, place="CN")], Selection(commodities=["rare_earths"], places=["CN"])
    )
    assert not is_selected([claimed(1, place="CN")], Selection(places=["US"]))


def test_a_trade_flow_is_about_its_importer_and_not_about_origins_or_goods() -> None:
    flow = [flow_claimed()]
    assert is_selected(flow, Selection(places=["DE"]))
    assert not is_selected(flow, Selection(places=["CN"]))
    assert not is_selected(flow, Selection(commodities=["gallium"]))


def test_types_that_name_something_are_those_that_are_looked_up_by_it() -> None:
    about = {path.partition(" ")[0] for path, is_about in DECLARED.items() if is_about}
    assert set(types_with_subjects()) == about - {"Figure.Claimed"}


class Detail(Value, frozen=True, kw_only=True):
    """An unknown part of a fact."""

    goods: tuple[Commodity, ...] = ()
    maker: Actor | None = None
    buyers: Annotated[tuple[Place, ...], NOT_A_SUBJECT] = ()


class Clarified(ClausesFact, frozen=True, kw_only=True):
    """An unknown fact."""

    details: tuple[Detail, ...]


@each_case(
    ("wanted", "is_about"),
    [
        (Selection(commodities=["gallium"]), True),
        (Selection(commodities=["cobalt"]), False),
        (Selection(places=["quad"]), True),
        (Selection(places=["US"]), False),
    ],
)
def test_a_new_kind_of_fact_is_about_what_it_declares(wanted: Selection, is_about: bool) -> None:
    clarified: Fact = from_builtins(
        Clarified,
        {
            "on": "2025-01-01",
            "source": source(),
            "details": [{}, {"goods": ["gallium"], "maker": "quad", "buyers": ["US"]}],
        },
    )
    assert is_selected([announced(clause(commodities=["lithium"])), clarified], wanted) is is_about


def test_a_control_on_a_parent_or_on_dual_use_items_is_selected_for_what_is_below_it() -> None:
    dysprosium = Selection(commodities=["dysprosium"])
    for named in ("rare_earths", "dysprosium", "dual_use_items"):
        assert is_selected([announced(clause(commodities=[named]))], dysprosium)
    assert not is_selected([announced(clause(commodities=["gallium"]))], dysprosium)
    assert not is_selected([claimed(1, commodity="rare_earths")], dysprosium)
