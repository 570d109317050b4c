"""All facts of the domain that can be recorded, by the names of their mutations.

`FACT_MUTATIONS` lists them; the domain validates them.
"""

from enum import Enum
from typing import Any

import strawberry
from msgspec import Struct
from strawberry import enum_value

from schema.base.global_ids import key_of
from schema.inputs.input_types import input_type
from tracker.domain.actors import alliance, announcement, firm
from tracker.domain.basics.codec import from_builtins
from tracker.domain.controls import export_control
from tracker.domain.controls import export_control_acts as acts
from tracker.domain.controls.duty_relations import Related
from tracker.domain.entities.entity import Entity
from tracker.domain.entities.fact import Fact
from tracker.domain.evidence import coverage
from tracker.domain.figures import (
    figure,
    figure_facts,
    preference,
    tariff,
    tariff_edition,
    trade_flow,
)


class FactMutation(Struct, frozen=True):
    """A mutation that records one kind of fact."""

    name: str
    fact: type[Fact]
    entity_type: type[Entity]
    description: str

    @property
    def names_entity(self) -> bool:
        """Return whether the fact names its entity, so that the input has no id."""
        return self.fact.stream is not Fact.stream

    def to_fact(self, data: dict[str, Any]) -> tuple[str, Fact]:
        """Return the stream and the fact of an input.

        The fact names its entity, or the id of the input does. This id may be a key, also of an entity that
        does not exist yet.
        """
        fact = from_builtins(self.fact, {name: of for name, of in data.items() if name != "id"})
        if fact.stream:
            return fact.stream, fact
        return (
            f"{self.entity_type.KIND}/{key_of(self.entity_type.KIND, data['id']) or data['id']}",
            fact,
        )


CONTROL, ALLIANCE = export_control.ExportControl, alliance.Alliance
ANNOUNCEMENT, FIGURE = announcement.Announcement, figure.Figure
PREFERENCE, FIRM = preference.Preference, firm.Firm
COVERAGE = coverage.Coverage
FACT_MUTATIONS = (
    FactMutation(
        "announceExportControl",
        acts.Announced,
        CONTROL,
        "Announces an instrument with its clauses.",
    ),
    FactMutation(
        "enterIntoForce",
        acts.EnteredIntoForce,
        CONTROL,
        "Records that clauses of an instrument are in force from a date.",
    ),
    FactMutation(
        "amendExportControl",
        acts.Amended,
        CONTROL,
        "Amends an instrument: clauses get a new wording, or clauses are added.",
    ),
    FactMutation(
        "extendExportControl",
        acts.Extended,
        CONTROL,
        "Extends clauses of an instrument to a later last day.",
    ),
    FactMutation(
        "suspendExportControl",
        acts.Suspended,
        CONTROL,
        "Suspends clauses of an instrument from one date to another, both inclusive;"
        " afterwards they are in force again.",
    ),
    FactMutation(
        "extendSuspension", acts.SuspensionExtended, CONTROL, "Extends the suspension of clauses."
    ),
    FactMutation(
        "stateSuspension",
        acts.SuspensionStated,
        CONTROL,
        "Records a government's statement that the suspension of clauses runs until a"
        " date, without a known legal instrument. The status stays that of the legal"
        " text; responses name the statement.",
    ),
    FactMutation(
        "reinstateExportControl", acts.Reinstated, CONTROL, "Ends the suspension of clauses."
    ),
    FactMutation(
        "expireExportControl",
        acts.Expired,
        CONTROL,
        "Records that clauses of an instrument have expired.",
    ),
    FactMutation(
        "repealExportControl", acts.Repealed, CONTROL, "Repeals clauses of an instrument."
    ),
    FactMutation(
        "discontinueExportControl",
        acts.Discontinued,
        CONTROL,
        "Discontinues clauses of an instrument that were not repealed: withdrawn, lapsed, or"
        " concluded without a measure.",
    ),
    FactMutation(
        "mergeExportControl",
        acts.Merged,
        CONTROL,
        "Repeals clauses of an instrument that another instrument continues.",
    ),
    FactMutation(
        "disputeExportControl",
        acts.Disputed,
        CONTROL,
        "Records another source's different account of an instrument. It is shown beside the"
        " first and not merged.",
    ),
    FactMutation(
        "relateExportControl",
        Related,
        CONTROL,
        "Records that the duties of an instrument add to those of another one, yield to them, are"
        " capped with them, or include the ordinary duty.",
    ),
    FactMutation("recordAnnouncement", announcement.Made, ANNOUNCEMENT, "Records an announcement."),
    FactMutation(
        "supersedeAnnouncement",
        announcement.Superseded,
        ANNOUNCEMENT,
        "Records that a later announcement replaces one.",
    ),
    FactMutation(
        "foundAlliance",
        alliance.Founded,
        ALLIANCE,
        "Records that an alliance is founded, or an initiative launched as part of one.",
    ),
    FactMutation(
        "changeRole",
        alliance.RoleChanged,
        ALLIANCE,
        "Records another role of a place that takes part in an alliance.",
    ),
    FactMutation(
        "listMembers",
        alliance.MembersListed,
        ALLIANCE,
        "Records that a list of the members of an alliance is published.",
    ),
    FactMutation(
        "renameAlliance", alliance.Renamed, ALLIANCE, "Records a new name of an alliance."
    ),
    FactMutation(
        "succeedAlliance",
        alliance.Succeeded,
        ALLIANCE,
        "Records that another alliance replaces one.",
    ),
    FactMutation(
        "dissolveAlliance", alliance.Dissolved, ALLIANCE, "Records that an alliance is dissolved."
    ),
    FactMutation(
        "recordFigure",
        figure_facts.Claimed,
        FIGURE,
        "Records a publisher's number for a series, in one edition.",
    ),
    FactMutation(
        "preferPublisher",
        figure_facts.Preferred,
        FIGURE,
        "Records a judgement: this publisher's claim is the preferred one of a figure.",
    ),
    FactMutation(
        "recordTradeFlow",
        trade_flow.FlowClaimed,
        trade_flow.TradeFlow,
        "Records a publisher's list of the origins of a place's imports under one code and in one"
        " year, in one edition.",
    ),
    FactMutation(
        "readTariffEdition",
        tariff_edition.EditionRead,
        tariff_edition.TariffEdition,
        "Records that an edition of a tariff schedule was read.",
    ),
    FactMutation(
        "stateTariffLine",
        tariff.LineStated,
        tariff.TariffLine,
        "Records the print of a line of a tariff in the first edition that was read for it.",
    ),
    FactMutation(
        "changeTariffLine",
        tariff.LineChanged,
        tariff.TariffLine,
        "Records that a later edition prints a line of a tariff otherwise.",
    ),
    FactMutation(
        "withdrawTariffLine",
        tariff.LineWithdrawn,
        tariff.TariffLine,
        "Records that a later edition does not print a line of a tariff.",
    ),
    FactMutation(
        "declareCoverage",
        coverage.Declared,
        COVERAGE,
        "Declares that a list of acts was read for a period. The completeness of"
        " responses follows from it. It replaces an earlier declaration of the same list.",
    ),
    FactMutation(
        "withdrawCoverage",
        coverage.Withdrawn,
        COVERAGE,
        "Withdraws the declaration that a list was read.",
    ),
    FactMutation("identifyFirm", firm.Identified, FIRM, "Records the names of a firm."),
    FactMutation("renameFirm", firm.Renamed, FIRM, "Records another name of a firm."),
    FactMutation(
        "orderPublishers",
        preference.Ordered,
        PREFERENCE,
        "Records an order of preference between publishers, for figures with several claims.",
    ),
)


@strawberry.enum(description="Changes of a membership.")
class MembershipChange(Enum):
    """Changes of a membership."""

    JOINED = enum_value("joined", description="The place becomes a member.")
    LEFT = enum_value("left", description="The place is no longer a member.")


def parse_membership(data: dict[str, Any]) -> tuple[str, Fact]:
    """Return the stream and the fact of a change of membership."""
    joined = data["change"] == MembershipChange.JOINED.value
    act = FactMutation("", alliance.MemberJoined if joined else alliance.MemberLeft, ALLIANCE, "")
    return act.to_fact({name: of for name, of in data.items() if name != "change"})


INPUT_PARSERS = {
    **{act.name: act.to_fact for act in FACT_MUTATIONS},
    "recordMembership": parse_membership,
}
"""Parsers of the inputs of fact mutations, by name."""


def input_of_mutation(act: FactMutation) -> type[Any]:
    """Return the input type of a mutation: the fact, with the id of the entity unless the fact names it."""
    id = {} if act.names_entity else {"id": str}
    return input_type(f"{act.name[0].upper()}{act.name[1:]}Input", act.fact, act.description, id)


MEMBERSHIP = input_type(
    "RecordMembershipInput",
    alliance.MemberJoined,
    "Records that a place joins or leaves an alliance.",
    {"id": str, "change": MembershipChange},
)
INPUTS = {
    **{act.name: input_of_mutation(act) for act in FACT_MUTATIONS},
    "recordMembership": MEMBERSHIP,
}
"""Inputs of all mutations that record a fact."""
