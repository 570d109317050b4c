"""The legs of a shipment, and the verdicts on legs without a clause: nothing recorded, or unknown. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date

from msgspec import Struct

from tracker.domain.basics.control_vocabulary import Direction, VerdictKind
from tracker.domain.basics.vocabulary import CompletenessLevel
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import unions_of
from tracker.domain.evidence.completeness import Completeness, Scope, control_kinds
from tracker.domain.shipments.check import Applicable, ShipmentCheck
from tracker.domain.shipments.questions import Question
from tracker.domain.shipments.shipment import Shipment
from tracker.domain.wording.phrases import commodities_phrase, listed, place_in_text

DISCLAIMER = (
    "This is information, not legal advice. It states what is recorded, not what the law is."
    " Ask the authority or a lawyer before you ship."
)
PLACE_QUESTIONS = {
    Direction.EXPORT: Question(
        "shipment/export", "Where are the goods produced and exported?", "origin"
    ),
    Direction.IMPORT: Question("shipment/import", "Where are the goods imported?", "destination"),
}


class Leg(Struct, frozen=True):
    """A part of the way of a shipment: the export from a place, the import into one, the transit, or the
    production of exported goods or of their content elsewhere."""

    direction: Direction
    """Whether the export or the import rules of the place apply; those of export for the others."""
    place: Place | None
    """The place; null if the shipment does not state it."""
    optional: bool = False
    """Whether it needs no verdict of its own: the goods are neither exported from the place nor imported."""

    def issuers(self, day: date) -> frozenset[str]:
        """Return the issuers of its rules: the place and the unions that it is in on a day."""
        return frozenset((self.place, *unions_of(self.place, day)) if self.place else ())

    def scope(self, shipment: Shipment, day: date) -> Scope:
        """Return the acts that are relevant for it."""
        return Scope(
            control_kinds(self.direction), self.issuers(day), shipment.possible_commodities or None
        )


class UnsettledLeg(Struct, frozen=True):
    """A leg without a clause in force, or without a place."""

    leg: Leg
    kind: VerdictKind
    text: str
    question: Question | None = None


def legs_of(shipment: Shipment) -> Iterator[Leg]:
    """Yield the legs of a shipment in the order of its way."""
    yield Leg(Direction.EXPORT, shipment.exported_from)
    contents = (content.origin for content in shipment.contents or ())
    others = dict.fromkeys((*shipment.route, shipment.origin, *contents))
    for place in others:
        if place not in (None, shipment.exported_from):
            yield Leg(Direction.EXPORT, place, optional=True)
    yield Leg(Direction.IMPORT, shipment.destination)


def unsettled_legs(
    check: ShipmentCheck, completeness: Sequence[tuple[Leg, Completeness]]
) -> Iterator[UnsettledLeg]:
    """Yield a verdict for each export or import without one, from the completeness of each leg's lists."""
    levels = {leg: of.level for leg, of in completeness}
    for leg in legs_of(check.case.shipment):
        if leg.optional or (leg.place is not None and _has_verdict(check, leg)):
            continue
        trade = "export" if leg.direction is Direction.EXPORT else "import"
        if leg.place is None:
            question = PLACE_QUESTIONS[leg.direction]
            text = f"The place of {trade} is not stated, so its rules are unknown."
            yield UnsettledLeg(leg, VerdictKind.UNKNOWN, text, question)
            continue
        name = place_in_text(leg.place)
        if check.case.shipment.has_foreign_code:
            text = (
                "Unknown: the code is not recorded as one of the commodity, so"
                f" {trade} rules may be missed."
            )
            yield UnsettledLeg(leg, VerdictKind.UNKNOWN, text)
            continue
        if levels[leg] is CompletenessLevel.NONE:
            text = f"Unknown: no list of {trade} rules of {name} was read."
            yield UnsettledLeg(leg, VerdictKind.UNKNOWN, text)
        else:
            text = f"No clause in force that applies to this {trade} is recorded for {name}."
            yield UnsettledLeg(leg, VerdictKind.NOTHING_RECORDED, text)


def _has_verdict(check: ShipmentCheck, leg: Leg) -> bool:
    return any(
        verdict.applicable.control.direction is leg.direction
        and check.case.is_in(leg.place, verdict.applicable.control.issuer)
        for verdict in check.verdicts
    )


def assumptions(shipment: Shipment, left_out: Sequence[Applicable] = ()) -> Iterator[str]:
    """Yield the assumptions of a check, in sentences, with the rules that it leaves out."""
    if shipment.export_country is None and shipment.origin is not None:
        name = place_in_text(shipment.origin)
        yield f"The goods are exported from {name}, where they are produced."
    if shipment.commodity is None:
        yield _goods_by_code(shipment)
    if shipment.has_foreign_code and shipment.commodity:
        yield (
            f"{shipment.hs_code} is not recorded as a code of"
            f" {commodities_phrase([shipment.commodity])}. Rules on either of them apply possibly, because"
            " one of the two statements may be wrong."
        )
    if any(shipment.parties.values()):
        yield "Firms are compared by recorded names and spellings. Their owners are not checked."
    if not shipment.route and shipment.exported_from and shipment.destination:
        yield "The goods pass through no other place."
    if left_out:
        words = sorted({one.state.clause.covers for one in left_out}, reverse=True)
        yield (
            f"Goods are shipped, not {listed(words, conjunction='or')}. Rules on these are left out:"
            f" {listed(one.act for one in left_out)}. State `covers` to check them."
        )


def _goods_by_code(shipment: Shipment) -> str:
    goods = sorted(shipment.possible_commodities)
    names = commodities_phrase(goods)
    if not goods:
        return f"No commodity has the code {shipment.hs_code}; only clauses that list it apply."
    if shipment.is_known_by_open_code:
        return f"By the code, the goods are one of these or other goods: {names}."
    return f"By the code, the goods are {names if len(goods) == 1 else f'one of these: {names}'}."
