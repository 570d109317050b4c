"""The field `asOf`, which chooses the moment for all fields below it."""

from strawberry import field

from projections.query.moment import kind_name
from projections.query.watching import NOBODY
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import parse_word
from schema.inputs.shipment import ShipmentArgument, parse_shipment
from schema.root.as_of.alliances import Alliances
from schema.root.as_of.base import AtMoment
from schema.root.as_of.clause_counts import ClauseCounts
from schema.root.as_of.clause_statuses import ClauseStatuses
from schema.root.as_of.coverages import Coverages
from schema.root.as_of.dependence import DependenceAnalysis
from schema.root.as_of.disputes import Disputes
from schema.root.as_of.export_controls import Controls
from schema.root.as_of.facts import FactLists
from schema.root.as_of.figures import Figures
from schema.root.as_of.firms import Firms
from schema.root.as_of.log import LogUntilMoment
from schema.root.as_of.memberships import Memberships
from schema.root.as_of.obligations import Obligations
from schema.root.as_of.place_shares import PlaceShares
from schema.root.as_of.schedules import Schedules
from schema.root.as_of.search import SearchAtMoment
from schema.root.as_of.supply import SupplyAnalysis
from schema.root.as_of.tariffs import Tariffs
from schema.root.as_of.texts import Texts
from schema.root.as_of.timeline import Timelines
from schema.root.as_of.trade import TradeFlows
from schema.root.as_of.transitions import TransitionLists
from schema.root.as_of.watched_sources import WatchedSources
from schema.root.nodes import GlobalId, GlobalIds, node, nodes
from schema.types.common import Node, Place, place
from schema.types.horizon import Horizon, horizon
from schema.types.shipment import ShipmentCheck
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.actors.firm import FirmState
from tracker.domain.catalogue.places import Actor
from tracker.domain.catalogue.unions import members_of, unions
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.obligation import ObligationState
from tracker.domain.controls.text import TextState
from tracker.domain.entities.redaction import RedactionState
from tracker.domain.evidence.coverage import CoverageState
from tracker.domain.evidence.import_receipt import ImportState
from tracker.domain.evidence.watched_source import WatchedSourceState
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.preference import PreferenceState
from tracker.domain.figures.tariff import TariffLineState
from tracker.domain.figures.tariff_edition import TariffEditionState
from tracker.domain.figures.trade_flow import TradeFlowState


@object_type
class CountryUnion:
    """A union of countries that acts as one on a date. A fact about it, such as a control by it or on
    exports to it, holds for each of its countries."""

    place: Place = field(description="The union, such as `EU`.")
    members: list[Place] = field(description="Its countries on the date, by code.")


@object_type
class Unions(AtMoment):
    """Unions at a moment."""

    @resolver_field
    def unions(self) -> list[CountryUnion]:
        """The unions of countries that act as one, with their countries on this date. Alliances, and groups
        with a common figure of a publisher, are not unions."""
        day = self.moment.valid_at
        return [
            CountryUnion(
                place=place(union), members=[place(one) for one in sorted(members_of(union, day))]
            )
            for union in unions()
        ]


@object_type
class Shipments(AtMoment):
    """Checks of shipments at a moment."""

    @resolver_field
    async def shipment(self, info: Info, input: ShipmentArgument) -> ShipmentCheck:
        """The recorded rules for a shipment: prohibitions, licences, quotas and duties, the questions that
        decide possible rules, and the changes of the next 12 months. Information, not legal advice."""
        shipment = parse_shipment(input)
        checked = await info.context.services.as_of.shipments.check(shipment, self.moment)
        return ShipmentCheck(checked=checked, moment=self.moment)


@object_type
class Counts:
    """The number of entities of each kind."""

    export_controls: int = field(description="Announced export controls.")
    alliances: int = field(description="Alliances, including dissolved ones.")
    announcements: int = field(description="Announcements.")
    figures: int = field(description="Figures with at least one claim.")
    firms: int = field(description="Identified firms.")
    preferences: int = field(description="Orders of preference between publishers.")
    imports: int = field(description="Recorded imports.")
    redactions: int = field(description="Events with redacted texts.")
    watched_sources: int = field(description="Sources that are or were watched.")
    coverages: int = field(description="Lists of acts that were read.")
    trade_flows: int = field(description="Trade flows with at least one claim.")
    tariff_editions: int = field(description="Editions of tariff schedules that were read.")
    tariff_lines: int = field(description="Lines of tariffs.")
    obligations: int = field(description="Obligations of acts.")
    texts: int = field(description="Acts with a recorded text.")


@object_type
class AsOf(
    FactLists,
    Controls,
    Alliances,
    Figures,
    TradeFlows,
    Tariffs,
    Firms,
    SupplyAnalysis,
    DependenceAnalysis,
    PlaceShares,
    TransitionLists,
    Schedules,
    ClauseCounts,
    ClauseStatuses,
    Shipments,
    Memberships,
    Unions,
    SearchAtMoment,
    Disputes,
    Timelines,
    WatchedSources,
    Coverages,
    Obligations,
    Texts,
    LogUntilMoment,
):
    """The state of the world as of one date, as recorded at one position. All fields below are of this
    moment."""

    @resolver_field
    async def horizon(self, info: Info, issuer: str | None = None) -> list[Horizon]:
        """The newest recorded act of each issuer, ordered by code, with the sources that are watched for
        newer acts. Acts of export controls count for their issuer, acts of alliances for themselves;
        statements are not acts. It depends on the position only, not on `validAt`. It is not a measure of
        completeness: earlier acts may be missing.

        - issuer: Only the horizon of this place (`CN`) or alliance (`quad`).
        """
        of = None if issuer is None else str(parse_word(Actor, issuer, "issuer"))
        horizons = info.context.services.as_of.horizons
        known = {one.issuer: one for one in await horizons.of(of, self.moment.position)}
        watched = await horizons.watch(self.moment.position)
        issuers = known.keys() | (watched.keys() if of is None else watched.keys() & {of})
        return [horizon(one, known.get(one), watched.get(one, NOBODY)) for one in sorted(issuers)]

    @resolver_field
    async def counts(self, info: Info) -> Counts:
        """The number of entities that exist at this moment, by kind."""
        counts = await info.context.services.as_of.counts(self.moment)
        return Counts(
            export_controls=counts[kind_name(ExportControlState)],
            alliances=counts[kind_name(AllianceState)],
            announcements=counts[kind_name(AnnouncementState)],
            figures=counts[kind_name(FigureState)],
            firms=counts[kind_name(FirmState)],
            preferences=counts[kind_name(PreferenceState)],
            imports=counts[kind_name(ImportState)],
            redactions=counts[kind_name(RedactionState)],
            watched_sources=counts[kind_name(WatchedSourceState)],
            coverages=counts[kind_name(CoverageState)],
            trade_flows=counts[kind_name(TradeFlowState)],
            tariff_editions=counts[kind_name(TariffEditionState)],
            tariff_lines=counts[kind_name(TariffLineState)],
            obligations=counts[kind_name(ObligationState)],
            texts=counts[kind_name(TextState)],
        )

    @resolver_field
    async def node(self, info: Info, id: GlobalId) -> Node | None:
        """The entity with this `id` at this moment; null if it does not exist."""
        return await node(info, self.moment, id)

    @resolver_field
    async def nodes(self, info: Info, ids: GlobalIds) -> list[Node | None]:
        """The entities with these ids at this moment, in the order of the ids; null for each that
        does not exist.
        """
        return await nodes(info, self.moment, ids)
