"""GraphQL types of the check of a shipment."""

from collections.abc import Collection
from decimal import Decimal

import strawberry
from strawberry import field

from projections.analysis.quantities import rounded
from projections.analysis.shipment_changes import Finding
from projections.query.moment import Moment
from projections.query.shipments import CheckedShipment
from projections.query.watching import NOBODY
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.output_types import made_field, output_type, struct_field
from schema.types.change import Transition
from schema.types.clause import Clause, clause
from schema.types.common import Place, Quantity, Source, place, sources_behind
from schema.types.completeness import Completeness
from schema.types.export_control import ExportControl
from schema.types.horizon import Horizon, horizon
from schema.types.obligation import Obligation
from schema.types.tariff import TariffLine
from tracker.domain.basics.control_vocabulary import Certainty, Direction, Match, VerdictKind
from tracker.domain.basics.vocabulary import ObligationRole
from tracker.domain.controls.obligation import ObligationState, still_due
from tracker.domain.shipments import check, duties, firms, legs, obligations, ordinary, questions

_ROLES = {Direction.EXPORT: ObligationRole.EXPORTER, Direction.IMPORT: ObligationRole.IMPORTER}
"""The role of the firm that exports or imports the goods."""


@output_type(
    only_spelled=True, first="kind match reasons confirmation certainty first_day last_day"
)
class ShipmentClause:
    """A clause that applies to a shipment, certainly or possibly."""

    of: strawberry.Private[check.Applicable]
    moment: strawberry.Private[Moment]

    @made_field
    def obligation(self) -> str:
        """The obligation in a sentence: who must do what, and with which authority."""
        return obligations.obligation(self.of)

    @made_field
    def exceptions(self) -> list[str]:
        """The exceptions of the clause, in words. The clause does not apply if one of them does."""
        return [one.reason for one in self.of.exceptions]

    @resolver_field
    def control(self) -> ExportControl:
        """The instrument of the clause."""
        return ExportControl.at(self.of.control, self.moment)

    @resolver_field
    def clause(self) -> Clause:
        """The clause on this date, with its status."""
        return clause(self.of.state, self.of.control, self.moment)

    @resolver_field
    async def sources(self, info: Info) -> list[Source]:
        """The sources of the acts on which it is based, each once. `clause { because }` has the events."""
        behind = await clause(self.of.state, self.of.control, self.moment).because(info)
        sources = [one for each in behind for one in await sources_behind(info, each.of)]
        return [*{one.of.citation: one for one in sources}.values()]


@output_type()
class OpenQuestion:
    """A question whose answer decides whether clauses apply to a shipment."""

    of: strawberry.Private[questions.Question]
    applicable: strawberry.Private[list[check.Applicable]]
    moment: strawberry.Private[Moment]

    @resolver_field
    def clauses(self) -> list[ShipmentClause]:
        """The clauses that depend on it."""
        return [ShipmentClause(of=one, moment=self.moment) for one in self.applicable]


@object_type
class ShipmentVerdict:
    """A rule for a shipment: an obligation with the clauses on which it is based. For an export or import
    without a rule: the statement that no rule is recorded, or that the rules are unknown."""

    kind: VerdictKind = field(description="The kind of rule.")
    direction: Direction = field(description="Whether it is a rule on the export or on the import.")
    place: Place | None
    """The issuer of the rule, or the place of an export or import without one; null if the shipment does
    not state the place."""
    match: Match | None
    """Whether it applies certainly or possibly; null for NOTHING_RECORDED and UNKNOWN."""
    obligation: str = field(description="The rule in a sentence.")
    clause: ShipmentClause | None
    """The clause; null for NOTHING_RECORDED and UNKNOWN."""
    legal_bases: list[ShipmentClause]
    """Further clauses on which the obligation is based: laws and lists of the issuer that add no licence of
    their own."""
    completeness: Completeness | None
    """The completeness of the lists of the place, for NOTHING_RECORDED and UNKNOWN; null for a clause, or
    if the place is not stated."""
    question: OpenQuestion | None
    """The question that an UNKNOWN verdict depends on; null for others."""


@output_type(only_spelled=True, first="low high specific text includes_ordinary")
class DutyLine:
    """One duty on a shipment."""

    of: strawberry.Private[duties.DutyLine]
    moment: strawberry.Private[Moment]

    @resolver_field
    def clause(self) -> ShipmentClause:
        """The clause that it is based on."""
        return ShipmentClause(of=self.of.applicable, moment=self.moment)

    specific: Quantity | None = struct_field()


@output_type()
class DutyStep:
    """A step of the calculation of a total."""

    of: strawberry.Private[duties.Step]


@output_type(only_spelled=True, first="lines low high steps remarks complete not_covered statement")
class DutyTotal:
    """The duties of one direction and their total in percent of the value, with the steps of the
    calculation. Export and import duties are paid to two places, so their totals are separate."""

    of: strawberry.Private[duties.DutyTotal]
    moment: strawberry.Private[Moment]

    lines: list[DutyLine] = struct_field()
    steps: list[DutyStep] = struct_field()


@output_type(only_spelled=True, first="low high text statement remarks questions")
class OrdinaryDuty:
    """The ordinary duty on an import, as far as the tariff prints it. Additional duties are not in it."""

    of: strawberry.Private[ordinary.OrdinaryDuty]
    moment: strawberry.Private[Moment]

    @resolver_field
    def lines(self) -> list[TariffLine]:
        """The lines of the tariff that the code selects."""
        return [TariffLine.at(one, self.moment) for one in self.of.lines]


@object_type
class LegCompleteness:
    """The completeness of the lists of acts for one place of a shipment."""

    direction: Direction
    """Whether they are lists of export or of import rules; export rules for transit."""
    place: Place = field(description="The place of export, of transit or of import.")
    completeness: Completeness
    """The completeness of the lists of the place and of its unions."""


@output_type(only_spelled=True, first="field name similar statement")
class NamedFirm:
    """A firm that a shipment names, compared with the firms that recorded clauses in force name."""

    of: strawberry.Private[firms.NamedFirm]

    @made_field
    def listed_by(self) -> list[Place]:
        """The issuers that list it under a recorded name, in clauses on any goods. Empty if none does."""
        return [*map(place, self.of.listed_by)]


@object_type
class CheckOfOrigin:
    """The recorded rules for the goods of a shipment from one origin, to compare origins."""

    checked: strawberry.Private[CheckedShipment]
    moment: strawberry.Private[Moment]
    place: Place = field(description="The origin.")
    share: Decimal | None
    """Its share of the world's output of the commodity as a fraction of 1; of several stages and forms, the
    largest. Null without a figure."""

    @resolver_field
    def summary(self) -> str:
        """The strongest rule of each certainty in a sentence, as `summary` of the check."""
        return self.checked.summary

    @resolver_field
    def certain(self) -> list[VerdictKind]:
        """The kinds of the rules that apply certainly, with a confirmed status."""
        return self._kinds({Certainty.CERTAIN})

    @resolver_field
    def possible(self) -> list[VerdictKind]:
        """The kinds of the other rules: those with open conditions or a status that is not confirmed."""
        return self._kinds({*Certainty} - {Certainty.CERTAIN})

    @resolver_field
    def import_duties(self) -> DutyTotal:
        """The duties on the import."""
        return _duties(self.checked, VerdictKind.IMPORT_DUTY, self.moment)

    def _kinds(self, of: Collection[Certainty]) -> list[VerdictKind]:
        rules = [one.applicable for one in self.checked.check.verdicts]
        return [*dict.fromkeys(one.kind for one in rules if one.certainty in of)]


@object_type
class ShipmentCheck:
    """The recorded rules for a shipment on a date: rules that apply certainly or possibly, duties, and open
    questions."""

    checked: strawberry.Private[CheckedShipment]
    moment: strawberry.Private[Moment]

    @resolver_field
    def verdicts(self) -> list[ShipmentVerdict]:
        """The rules in force, certain ones first, and a verdict for each export or import without a rule."""
        return [*map(self.verdict, self.checked.findings)]

    @resolver_field
    def summary(self) -> str:
        """The strongest rule of each certainty in a sentence, a matching ban before a licence even if the ban
        is not confirmed. Without a rule, the verdicts on the export and the import: nothing recorded, or
        unknown."""
        return self.checked.summary

    @resolver_field
    def not_in_force(self) -> list[ShipmentClause]:
        """The clauses that are suspended or not yet in force but would apply; `firstDay` is the first day
        on which they apply."""
        return [self._clause(one) for one in self.checked.check.not_in_force]

    @resolver_field
    def export_duties(self) -> DutyTotal:
        """The duties on the export."""
        return _duties(self.checked, VerdictKind.EXPORT_DUTY, self.moment)

    @resolver_field
    def import_duties(self) -> DutyTotal:
        """The duties on the import."""
        return _duties(self.checked, VerdictKind.IMPORT_DUTY, self.moment)

    @resolver_field
    def ordinary_duty(self) -> OrdinaryDuty | None:
        """The ordinary duty on the import, as printed; the first step of `importDuties`.
        Null if no line of the tariff is recorded for the code, or the origin or destination is not stated."""
        of = self.checked.ordinary
        return OrdinaryDuty(of=of, moment=self.moment) if of else None

    @resolver_field
    async def by_origin(self, info: Info) -> list[CheckOfOrigin]:
        """The shipment as stated, then the same goods from the largest other producers of the commodity, at
        most 5, exported from there to the same user. The way, the exporter, the preference, the contents and
        the answers are left out for these. Empty without an origin or a destination, or if a code fits
        several commodities and none is stated."""
        found = await info.context.services.as_of.shipments.by_origin(self.checked, self.moment)
        return [
            CheckOfOrigin(
                checked=one,
                moment=self.moment,
                place=place(origin),
                share=None if share is None else rounded(share),
            )
            for one, share in found
            if (origin := one.check.case.shipment.origin)
        ]

    @resolver_field
    def open_questions(self) -> list[OpenQuestion]:
        """The questions that decide whether possible rules apply; questions about places first."""
        return [
            OpenQuestion(of=of, applicable=on, moment=self.moment)
            for of, on in self.checked.open_questions
        ]

    @resolver_field
    async def upcoming(self, info: Info) -> list[Transition]:
        """The changes of the next 12 months of clauses that apply to the shipment before or after the change,
        ordered by date."""
        shipments = info.context.services.as_of.shipments
        upcoming = await shipments.upcoming(self.checked.check, self.moment)
        return [Transition(of=one, position=self.moment.position) for one in upcoming]

    @resolver_field
    async def further_obligations(self, info: Info) -> list[Obligation]:
        """The recorded obligations of exporters in the place of export, and of importers in the place of
        import, that cover the goods: by their next due day, without passed and ended ones. Their thresholds
        and exemptions are not checked."""
        case = self.checked.check.case
        roles = [
            (_ROLES[leg.direction], leg.issuers(case.day))
            for leg in legs.legs_of(case.shipment)
            if not leg.optional
        ]
        goods = case.shipment.possible_commodities
        states = await info.context.services.as_of.states(ObligationState, self.moment)
        of = [
            one
            for one in states
            if any(one.is_of(role) and one.issuer in issuers for role, issuers in roles)
            and any(map(one.covers, goods))
        ]
        return [Obligation.at(one, self.moment) for one in still_due(of, case.day)]

    @resolver_field
    def completeness(self) -> list[LegCompleteness]:
        """The completeness of the lists of acts for each stated place. Unless they are complete, a missing
        rule does not mean that none exists."""
        return [
            LegCompleteness(
                direction=leg.direction, place=place(leg.place), completeness=Completeness(of=of)
            )
            for leg, of in self.checked.completeness
            if leg.place is not None
        ]

    @resolver_field
    async def newest_acts(self, info: Info) -> list[Horizon]:
        """The newest recorded act of each issuer of the stated places, by code, with the sources that are
        watched for newer acts."""
        horizons, position = info.context.services.as_of.horizons, self.moment.position
        watched = await horizons.watch(position)
        newest = {
            issuer: next(iter(await horizons.of(issuer, position)), None)
            for issuer in self.checked.issuers
        }
        return [horizon(one, of, watched.get(one, NOBODY)) for one, of in newest.items()]

    @resolver_field
    def assumptions(self) -> list[str]:
        """The assumptions of the check, such as the place of export, in sentences."""
        of = self.checked.check
        return [*legs.assumptions(of.case.shipment, of.left_out)]

    @resolver_field
    def firms(self) -> list[NamedFirm]:
        """The firms that the shipment names, each with the issuers that list it."""
        return [NamedFirm(of=one) for one in self.checked.firms]

    @resolver_field
    def disclaimer(self) -> str:
        """The limits of the check, to be shown with it."""
        return legs.DISCLAIMER

    def _clause(self, of: check.Applicable) -> ShipmentClause:
        return ShipmentClause(of=of, moment=self.moment)

    def verdict(self, of: Finding) -> ShipmentVerdict:
        """Return the GraphQL type of a verdict of this check."""
        return self._of_leg(of) if isinstance(of, legs.UnsettledLeg) else self._of_clause(of)

    def _of_clause(self, of: check.ClauseVerdict) -> ShipmentVerdict:
        one = of.applicable
        return ShipmentVerdict(
            kind=one.kind,
            direction=one.control.direction,
            place=place(one.control.issuer),
            match=one.match,
            obligation=obligations.obligation(one),
            clause=self._clause(one),
            legal_bases=[self._clause(basis) for basis in of.legal_bases],
            completeness=None,
            question=None,
        )

    def _of_leg(self, of: legs.UnsettledLeg) -> ShipmentVerdict:
        read = dict(self.checked.completeness).get(of.leg)
        return ShipmentVerdict(
            kind=of.kind,
            direction=of.leg.direction,
            place=place(of.leg.place) if of.leg.place else None,
            match=None,
            obligation=of.text,
            clause=None,
            legal_bases=[],
            completeness=Completeness(of=read) if read else None,
            question=OpenQuestion(of=of.question, applicable=[], moment=self.moment)
            if of.question
            else None,
        )


def _duties(checked: CheckedShipment, kind: VerdictKind, moment: Moment) -> DutyTotal:
    return DutyTotal(of=checked.duties(kind), moment=moment)
