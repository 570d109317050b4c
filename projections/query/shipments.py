"""Checks of shipments at a moment: the clauses that apply, what changes, and the extent of the records."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from projections.analysis.shipment_changes import Finding
from projections.fold.transitions import Transition, clause_of
from projections.query.confirmations import Confirmations
from projections.query.controls import Controls
from projections.query.coverage import Coverages
from projections.query.event_cache import MAX_CACHED_MOMENTS, EventCache
from projections.query.exposures import Exposures
from projections.query.list_statements import BY_NAME
from projections.query.lists import EVERYTHING
from projections.query.moment import Moment
from projections.query.tariffs import Tariffs
from projections.query.transitions import TransitionFilter, Transitions
from projections.runner.progress import ProgressTracker
from tracker.domain.basics.control_vocabulary import ClauseStatus, VerdictKind
from tracker.domain.basics.values import DAY
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.clause_query import ClauseQuery, matching_clauses
from tracker.domain.controls.confirmation import NO_GROUNDS
from tracker.domain.controls.export_control import ExportControl, ExportControlState
from tracker.domain.controls.matching import Licences
from tracker.domain.evidence.completeness import Completeness, Scope
from tracker.domain.figures.tariff import TariffLineState
from tracker.domain.shipments.check import (
    Applicable,
    Matches,
    ShipmentCheck,
    applicable_clauses,
    check_matches,
)
from tracker.domain.shipments.duties import DutyTotal, duties, except_unpaid
from tracker.domain.shipments.firms import (
    ListedFirms,
    NamedFirm,
    listed_firms,
    named_firms,
    similar_spellings,
)
from tracker.domain.shipments.legs import Leg, UnsettledLeg, legs_of, unsettled_legs
from tracker.domain.shipments.obligations import summary
from tracker.domain.shipments.ordinary import OrdinaryDuty, ordinary_duty, tariff_of
from tracker.domain.shipments.questions import Question
from tracker.domain.shipments.shipment import Case, Shipment

UPCOMING_DAYS = 365
"""Number of days after the effective date whose changes are listed."""
MAX_CACHED_SCOPES = 1000
"""Maximum of legs whose completeness, and of codes whose tariff lines, are cached until the next event."""
MAX_ORIGINS = 5
"""Maximum number of other origins of the same goods."""
CONTROLS = TransitionFilter(kinds=[ExportControl.KIND])

FirmSpellings = Callable[[str, Moment], Awaitable[frozenset[str]]]


class CheckedShipment(Struct, frozen=True):
    """The check of a shipment, with the completeness of the lists of each leg with a place."""

    check: ShipmentCheck
    completeness: tuple[tuple[Leg, Completeness], ...]
    firms: tuple[NamedFirm, ...]
    """The firms that the shipment names."""
    ordinary: OrdinaryDuty | None = None
    """The ordinary duty on the import; None if no line of the tariff is recorded for it."""

    def duties(self, kind: VerdictKind) -> DutyTotal:
        """Return the export or import duties and their total."""
        return duties(self.check, kind, self.ordinary)

    @property
    def issuers(self) -> list[str]:
        """The issuers of the rules of every place on the way, by code."""
        of = self.check.case
        return sorted({one for leg in legs_of(of.shipment) for one in leg.issuers(of.day)})

    @property
    def open_questions(self) -> list[tuple[Question, list[Applicable]]]:
        """Every open question once, those on missing places first, with the clauses that it settles."""
        questions: dict[tuple[str, str], tuple[Question, list[Applicable]]] = {
            one.question.key: (one.question, []) for one in self.unsettled if one.question
        }
        for question, settled in self.check.open_questions:
            key = question.key
            questions.setdefault(key, (question, []))[1].extend(settled)
        return [*questions.values()]

    @property
    def summary(self) -> str:
        """The strongest rule of each certainty in a sentence; without one, the verdicts on the legs."""
        return summary(self.check, [one.text for one in self.unsettled])

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All verdicts: those of clauses, then those on legs without one."""
        return (*self.check.verdicts, *self.unsettled)

    @property
    def unsettled(self) -> tuple[UnsettledLeg, ...]:
        """The verdicts on legs without a clause in force."""
        return tuple(unsettled_legs(self.check, self.completeness))


class Shipments:
    """Checks of shipments."""

    def __init__(
        self,
        controls: Controls,
        confirmations: Confirmations,
        coverages: Coverages,
        transitions: Transitions,
        tariffs: Tariffs,
        exposures: Exposures,
        firm_spellings: FirmSpellings,
        progress: ProgressTracker | None = None,
    ):
        self._controls = controls
        self._confirmations = confirmations
        self._coverages = coverages
        self._transitions = transitions
        self._tariffs = tariffs
        self._exposures = exposures
        self._firm_spellings = firm_spellings
        self._completeness = EventCache(progress, MAX_CACHED_SCOPES, self._read_completeness)
        self._printed = EventCache(progress, MAX_CACHED_SCOPES, self._read_printed)
        self._listed_firms = EventCache(progress, MAX_CACHED_MOMENTS, self._read_listed_firms)
        self._upcoming = EventCache(progress, MAX_CACHED_MOMENTS, self._read_upcoming)

    async def check(self, shipment: Shipment, moment: Moment) -> CheckedShipment:
        """Return what applies to a shipment at a moment."""
        stated = filter(None, dict.fromkeys(shipment.parties.values()))
        names = {name: await self._firm_spellings(name, moment) for name in stated}
        case = Case(shipment, moment.valid_at, names)
        firms = [*named_firms(case, await self._listed_firms.get(moment.alone))] if names else []
        case = replace(case, similar=similar_spellings(firms))
        licences = await self._controls.licences(moment)
        grounds = await self._confirmations.grounds(moment)
        readings = [(of, await self._matches(of, moment, licences)) for of in case.readings]
        check = except_unpaid(check_matches(case, readings, licences, grounds))
        completeness = [
            (leg, await self._completeness.get((leg.scope(shipment, case.day), moment.alone)))
            for leg in legs_of(shipment)
            if leg.place is not None
        ]
        ordinary = await self._ordinary_duty(check, moment)
        return CheckedShipment(check, tuple(completeness), tuple(firms), ordinary)

    async def by_origin(
        self, checked: CheckedShipment, moment: Moment
    ) -> list[tuple[CheckedShipment, Decimal | None]]:
        """Return the check, then those of the same goods from the largest other producers, each with the
        share of its origin of the world's output.

        Empty without an origin or a destination, or with several possible commodities.
        """
        shipment = checked.check.case.shipment
        origin, goods = shipment.origin, [*shipment.possible_commodities]
        if origin is None or shipment.destination is None or len(goods) != 1:
            return []
        shares = await self._exposures.shares.get((goods[0], moment.alone))
        largest = sorted(shares, key=lambda place: (-shares[place], place))
        others = [
            of
            for of in map(Place, largest)
            if shares[of] and not of.is_aggregate and of not in (origin, shipment.destination)
        ]
        checks = [await self.check(shipment.from_origin(of), moment) for of in others[:MAX_ORIGINS]]
        shares_of = [shares.get(origin), *map(shares.get, others)]
        return [*zip((checked, *checks), shares_of, strict=False)]

    async def _ordinary_duty(self, check: ShipmentCheck, moment: Moment) -> OrdinaryDuty | None:
        """Return the ordinary duty on an import; None if no tariff line is recorded for it."""
        tariff = tariff_of(check.case)
        code = tariff and check.case.code_for(tariff)
        if tariff is None or code is None:
            return None
        lines, statement = await self._printed.get((tariff, code, moment.alone))
        clauses = [one.applicable for one in check.verdicts]
        recorded = {one.control.id for one in clauses if one.kind is VerdictKind.IMPORT_DUTY}
        return ordinary_duty(check.case, lines, statement, recorded)

    async def _read_printed(
        self, key: tuple[Place, str, Moment]
    ) -> tuple[list[TariffLineState], str]:
        """Return the lines of a tariff for a code, and which editions prove them."""
        tariff, code, moment = key
        lines = [one for one in await self._tariffs.lines(code, moment) if one.place == tariff]
        statements = await self._tariffs.statements(code, lines, moment)
        return lines, " ".join(dict.fromkeys(statements))

    async def _matches(self, case: Case, moment: Moment, licences: Licences) -> list[Matches]:
        query = case.goods_query()
        keyed = await self._controls.matching(moment, query, licences, EVERYTHING, BY_NAME)
        return [of_issuer(case, query, of.state, of.clauses, licences) for _, of in keyed]

    async def upcoming(self, check: ShipmentCheck, moment: Moment) -> list[Transition]:
        """Return the changes of the next 12 months for a shipment, by day.

        They are those of clauses that apply to it, or will by their new wording.
        """
        licences = await self._controls.licences(moment)
        keys = {one.key for one in check.applicable}

        def concerns(transition: Transition) -> bool:
            after, key = transition.after, (transition.after.id, transition.clause)
            if key in keys:
                return True
            if not isinstance(after, ExportControlState) or not _is_reworded(transition):
                return False
            return any(
                one.key == key
                for case in check.case.readings
                for one in applicable_clauses(
                    case,
                    after,
                    matching_clauses(case.goods_query(after.issuer), after, licences),
                    licences,
                    NO_GROUNDS,
                )
            )

        return [one for one in await self._upcoming.get(moment.alone) if concerns(one)]

    async def _read_completeness(self, key: tuple[Scope, Moment]) -> Completeness:
        return await self._coverages.completeness(*key)

    async def _read_listed_firms(self, moment: Moment) -> ListedFirms:
        query = ClauseQuery(moment.valid_at, status=ClauseStatus.IN_FORCE)
        return listed_firms(await self._controls.having(moment, query, EVERYTHING))

    async def _read_upcoming(self, moment: Moment) -> Sequence[Transition]:
        today = moment.valid_at
        if today > date.max - timedelta(UPCOMING_DAYS):
            return []
        last = today + timedelta(UPCOMING_DAYS)
        return await self._transitions.between(moment, today + DAY, last, CONTROLS)


def of_issuer(
    case: Case,
    query: ClauseQuery,
    control: ExportControlState,
    clauses: Sequence[ClauseState],
    licences: Licences,
) -> Matches:
    """Return the clauses of a control that match the goods, of those that match a query for all issuers.

    The query of its issuer differs if the code is one of its tariff, and matches fewer.
    """
    own = case.goods_query(control.issuer)
    return control, clauses if own == query else matching_clauses(own, control, licences)


def _is_reworded(transition: Transition) -> bool:
    """Return whether the wording of a clause changes, or it is new."""
    id = transition.clause or ""
    before, after = clause_of(transition.before, id), clause_of(transition.after, id)
    return after is not None and (before is None or before.clause != after.clause)
