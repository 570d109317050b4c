"""Properties of checks of shipments, on the shipped corpus."""

from collections.abc import Iterable
from datetime import date
from functools import cache

from hypothesis import assume, example, given
from hypothesis import strategies as st
from msgspec import structs

from tests.support.shipped_controls import check_on, controls_on
from tracker.domain.basics.control_vocabulary import Covers, Form, Match, Territory, VerdictKind
from tracker.domain.basics.vocabulary import CompletenessLevel
from tracker.domain.catalogue.commodities import Commodity, commodities, related
from tracker.domain.catalogue.harmonized_system import forms_of_code
from tracker.domain.catalogue.hs_concordance import goods_by_code
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import unions_of
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.clause_query import ClauseQuery, matching_clauses
from tracker.domain.controls.matching import licences_in_force
from tracker.domain.evidence.completeness import Completeness
from tracker.domain.shipments.check import STATUSES, ShipmentCheck
from tracker.domain.shipments.duties import DutyTotal, duties
from tracker.domain.shipments.legs import Leg, legs_of, unsettled_legs
from tracker.domain.shipments.shipment import NOT_GOODS, Content, QuestionAnswer, Shipment

DAYS = [
    date(2023, 9, 1),
    date(2024, 12, 10),
    date(2025, 3, 20),
    date(2025, 6, 10),
    date(2025, 10, 20),
    date(2025, 12, 1),
    date(2026, 3, 1),
    date(2026, 9, 1),
    date(2026, 12, 1),
]
PLACES = [Place(code) for code in ("CN", "US", "DE", "JP", "CD", "ID", "RU", "CL", "ZW", "IN")]
GOODS = [
    Commodity(name)
    for name in (
        *("gallium", "germanium", "antimony", "tungsten", "rare_earths", "dysprosium", "graphite"),
        *("permanent_magnets", "cobalt", "nickel", "lithium", "aluminium", "copper", "polysilicon"),
        *("titanium", "molybdenum", "bismuth", "uranium", "chromium", "manganese"),
    )
]
CODES = ["284990", "850511", "811292", "760110", "280530", "250410", "810520", "720260", "382499"]
EXTRAS = ("form", "destination", "exporter", "importer", "end_user", "end_use", "contents")
"""Fields that can be added to any shipment; places of export and transit are assumed if they are left out."""


@cache
def texts(field: str) -> list[str]:
    """Return the texts of a field of all clauses: firms or end uses."""
    clauses = [state.clause for control in controls_on(DAYS[-1]) for state in control.clauses]
    values = (
        [one.end_use] if field == "end_use" else [*one.entities, *one.exporters] for one in clauses
    )
    return sorted({text for of in values for text in of if text})


def firms() -> st.SearchStrategy[str | None]:
    """Return names of firms, listed or not."""
    return st.none() | st.sampled_from([*texts("entities"), "A firm on no list"])


@st.composite
def shipments(draw: st.DrawFn) -> Shipment:
    """Return a fully described shipment."""
    origin, destination = draw(
        st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES)).filter(
            lambda of: of[0] != of[1]
        )
    )
    named = draw(st.booleans())
    commodity = draw(st.sampled_from(GOODS)) if named else None
    code = None if named else draw(st.sampled_from(CODES))
    forms = (commodity.forms if commodity else forms_of_code(code or "")) or Form
    return Shipment(
        commodity=commodity,
        hs_code=code,
        form=draw(st.none() | st.sampled_from(sorted(forms))),
        origin=origin,
        destination=destination,
        route=draw(st.just(()) | st.tuples(st.sampled_from(PLACES))),
        exporter=draw(firms()),
        importer=draw(firms()),
        end_user=draw(firms()),
        end_use=draw(st.none() | st.sampled_from([*texts("end_use"), "Jewellery"])),
        contents=draw(
            st.none()
            | st.just(())
            | st.builds(
                lambda **fields: (Content(**fields),),
                commodity=st.sampled_from(GOODS),
                origin=st.sampled_from(PLACES),
                percent=st.none() | st.decimals(0, 100, places=1),
            )
        ),
    )


days = st.sampled_from(DAYS)


def by_key(check: ShipmentCheck) -> dict[tuple[str, str], tuple[VerdictKind, Match]]:
    """Return all clauses in force that apply, with the acts that they rest on."""
    return {
        one.key: (one.kind, one.match)
        for verdict in check.verdicts
        for one in (verdict.applicable, *verdict.legal_bases)
    }


def shares_an_item(clause: Clause, commodity: Commodity, code: str) -> bool:
    """Whether an item may be goods of a commodity under a code: otherwise each alone fits another item.

    Of samarium, Announcement 61/2025 names the metal; of the goods under 284690, terbium oxide. It does not
    name samarium oxide.
    """
    forms = forms_of_code(code)
    return not clause.items or any(
        (item.commodity is None or item.commodity in related(commodity))
        and (not item.hs or any(own.startswith(code) or code.startswith(own) for own in item.codes))
        and (not item.forms or not forms or not forms.isdisjoint(item.forms))
        for item in clause.items
    )


@given(days, shipments(), st.sets(st.sampled_from(EXTRAS), min_size=1))
@example(
    date(2026, 9, 1),
    Shipment(
        hs_code="284990",
        origin=Place("CN"),
        destination=Place("JP"),
        exporter="Mitsubishi Electric Defense and Space Technologies Corporation",
        importer="ACSL",
        end_user="ACSL",
    ),
    {"destination", "exporter"},
)
def test_adding_information_only_settles_what_was_possible(
    day: date, known: Shipment, left_out: Iterable[str]
) -> None:
    less = structs.replace(known, **dict.fromkeys(left_out))
    before, after = check_on(day, less), check_on(day, known)
    earlier, later = by_key(before), by_key(after)
    assert later.keys() <= earlier.keys()  # so no prohibition is added either
    exceptional = {
        one.key for one in before.applicable if one.exceptions or one.state.partial_suspensions
    }
    for key, (kind, match) in earlier.items():
        if match is Match.CERTAIN and key not in exceptional:
            assert later.get(key) == (kind, match)


@given(
    days,
    st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES)).filter(lambda of: of[0] != of[1]),
    st.sampled_from([one for one in commodities() if one not in NOT_GOODS]),
    st.sampled_from(
        sorted(
            {
                *(code.code for code, _ in goods_by_code(None)),
                *(code for of in commodities() for code in of.hs_codes),
            }
        )
    ),
)
@example(date(2023, 9, 1), (Place("CN"), Place("US")), Commodity("ferrochromium"), "720280")
def test_a_commodity_and_a_code_keep_the_rules_of_both(
    day: date, places: tuple[Place, Place], commodity: Commodity, code: str
) -> None:
    way = {"origin": places[0], "destination": places[1]}
    both = Shipment(commodity=commodity, hs_code=code, **way)
    stated = by_key(check_on(day, both))
    of_goods, of_code = (
        check_on(day, one)
        for one in (Shipment(commodity=commodity, **way), Shipment(hs_code=code, **way))
    )
    by_goods, by_code = by_key(of_goods), by_key(of_code)
    if both.has_foreign_code:
        assert stated.keys() == by_goods.keys() | by_code.keys()
    else:
        apart = {
            one.key
            for one in of_goods.applicable
            if not shares_an_item(one.state.clause, commodity, code)
        }
        assert stated.keys() >= by_goods.keys() & by_code.keys() - apart
        settled = {one.key for one in of_goods.applicable if not one.exceptions}
        assert stated.keys() >= {
            key for key, (_, match) in by_goods.items() if match is Match.CERTAIN and key in settled
        }
    for key, (_, match) in stated.items():
        if match is Match.CERTAIN and both.has_foreign_code:
            assert by_goods[key][1] is by_code[key][1] is Match.CERTAIN


@given(days, shipments(), st.data())
def test_an_answer_settles_its_question_and_adds_nothing(
    day: date, known: Shipment, data: st.DataObject
) -> None:
    known = structs.replace(known, form=None, end_user=None, contents=None)
    before = check_on(day, known)
    questions = [question for question, _ in before.open_questions]
    if not questions:
        return
    question = data.draw(st.sampled_from(questions))
    answer = QuestionAnswer(question=question.id, yes=data.draw(st.booleans()))
    after = check_on(day, structs.replace(known, answers=(answer,)))
    assert by_key(after).keys() <= by_key(before).keys()
    assert question.id not in {one.id for one, _ in after.open_questions}


@given(days, st.sampled_from(PLACES), st.sampled_from(PLACES), st.sampled_from([*GOODS, *CODES]))
@example(date(2023, 9, 1), Place("CN"), Place("US"), "284990")
def test_the_clauses_are_those_of_the_lists_for_the_same_filters(
    day: date, origin: Place, destination: Place, goods: Commodity | str
) -> None:
    assume(not {origin, *unions_of(origin, day)} & {destination, *unions_of(destination, day)})
    is_code = goods in CODES
    fields = {"hs_code": str(goods)} if is_code else {"commodity": Commodity(goods)}
    check = check_on(day, Shipment(**fields, origin=origin, destination=destination, contents=()))
    controls = controls_on(day)
    query = ClauseQuery(day, **fields, origin=origin, destination=destination)
    licences = licences_in_force(controls)
    listed = {
        (control.id, state.clause.id)
        for control in controls
        for state in matching_clauses(query, control, licences)
        if state.status in STATUSES
        if state.clause.covers not in (Covers.TECHNOLOGY, Covers.SERVICES)
        if state.clause.territory is not Territory.ONLY_ABROAD
    }
    assert {one.key for one in check.applicable} == listed


@given(days, shipments(), st.data())
def test_nothing_is_recorded_only_where_a_list_was_read(
    day: date, known: Shipment, data: st.DataObject
) -> None:
    less = structs.replace(known, **data.draw(st.sampled_from([{}, {"destination": None}])))
    check = check_on(day, less)
    read = [
        (leg, Completeness(data.draw(st.sampled_from(CompletenessLevel)), None, (), "Read."))
        for leg in legs_of(less)
        if leg.place is not None
    ]
    found = {one.leg: one for one in unsettled_legs(check, read)}
    for leg in legs_of(less):
        if leg.optional or has_verdict(check, leg):
            assert leg not in found
        elif leg.place is None:
            assert found[leg].kind is VerdictKind.UNKNOWN
            assert found[leg].question
        else:
            is_read = dict(read)[leg].level is not CompletenessLevel.NONE
            expected = VerdictKind.NOTHING_RECORDED if is_read else VerdictKind.UNKNOWN
            assert found[leg].kind is expected


def has_verdict(check: ShipmentCheck, leg: Leg) -> bool:
    """Return whether a verdict is of a leg with a place."""
    return any(
        one.applicable.control.direction is leg.direction
        and one.applicable.control.issuer in leg.issuers(check.case.day)
        for one in check.verdicts
    )


@given(days, shipments())
def test_no_total_is_without_its_steps(day: date, known: Shipment) -> None:
    check = check_on(day, known)
    for kind in (VerdictKind.EXPORT_DUTY, VerdictKind.IMPORT_DUTY):
        assert_is_explained(duties(check, kind))


def assert_is_explained(total: DutyTotal) -> None:
    """Assert that a total is the last step, or that remarks explain that there is none."""
    if total.low is None or total.high is None:
        assert (total.low, total.high) == (None, None)
        assert total.remarks or not total.lines
    else:
        assert 0 <= total.low <= total.high
        assert (total.steps[-1].low, total.steps[-1].high) == (total.low, total.high)
