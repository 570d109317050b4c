"""Every fact of the domain that can be recorded, by the name of the mutation that records it.

`FACT_MUTATIONS` lists them; what they check is the domain's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import strawberry
from strawberry import enum_value

from schema.base.global_ids import key_of
from schema.inputs.input_types import input_type
from tracker.domain import alliance, announcement, export_control, figure, preference
from tracker.domain import export_control_acts as acts
from tracker.domain.codec import from_builtins
from tracker.domain.entity import Entity
from tracker.domain.values import Fact


@dataclass(frozen=True, slots=True)
class FactMutation:
    """A mutation that records one kind of fact."""

    name: str
    fact: type[Fact]
    entity_type: type[Entity]
    description: str

    @property
    def names_entity(self) -> bool:
        """Whether the fact names its entity, so that no id is asked for."""
        return self.fact.stream is not Fact.stream

    def to_fact(self, data: dict[str, Any]) -> tuple[str, Fact]:
        """The stream and the fact that an input tells: the fact names its entity, or its id does,
        which may be its key, also that of one which is yet to come.
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
PREFERENCE = preference.Preference
FACT_MUTATIONS = (
    FactMutation(
        "announceExportControl",
        acts.Announced,
        CONTROL,
        "An instrument is announced, with its clauses.",
    ),
    FactMutation(
        "enterIntoForce",
        acts.EnteredIntoForce,
        CONTROL,
        "Clauses of an instrument are in force, from a day.",
    ),
    FactMutation(
        "amendExportControl",
        acts.Amended,
        CONTROL,
        "Clauses of an instrument are worded anew, or joined by others.",
    ),
    FactMutation(
        "extendExportControl",
        acts.Extended,
        CONTROL,
        "Clauses of an instrument hold longer than they said.",
    ),
    FactMutation(
        "suspendExportControl",
        acts.Suspended,
        CONTROL,
        "Clauses of an instrument do not apply from a day on, until another; then they are back.",
    ),
    FactMutation(
        "extendSuspension",
        acts.SuspensionExtended,
        CONTROL,
        "The suspension of clauses lasts longer.",
    ),
    FactMutation(
        "reinstateExportControl", acts.Reinstated, CONTROL, "The suspension of clauses is over."
    ),
    FactMutation(
        "expireExportControl", acts.Expired, CONTROL, "Clauses of an instrument have ended."
    ),
    FactMutation(
        "repealExportControl", acts.Repealed, CONTROL, "Clauses of an instrument are withdrawn."
    ),
    FactMutation(
        "discontinueExportControl",
        acts.Discontinued,
        CONTROL,
        "Clauses of an instrument end without a repeal: withdrawn, lapsed, or concluded without a"
        " measure.",
    ),
    FactMutation(
        "mergeExportControl",
        acts.Merged,
        CONTROL,
        "Clauses of an instrument are repealed since another one carries them on.",
    ),
    FactMutation(
        "disputeExportControl",
        acts.Disputed,
        CONTROL,
        "Another source tells it otherwise: kept beside, not merged.",
    ),
    FactMutation("recordAnnouncement", announcement.Made, ANNOUNCEMENT, "An announcement is made."),
    FactMutation(
        "supersedeAnnouncement",
        announcement.Superseded,
        ANNOUNCEMENT,
        "A later announcement takes the place of one.",
    ),
    FactMutation(
        "foundAlliance",
        alliance.Founded,
        ALLIANCE,
        "An alliance is founded, or an initiative launched as part of one.",
    ),
    FactMutation("renameAlliance", alliance.Renamed, ALLIANCE, "An alliance goes by another name."),
    FactMutation(
        "succeedAlliance", alliance.Succeeded, ALLIANCE, "Another alliance takes the place of one."
    ),
    FactMutation("dissolveAlliance", alliance.Dissolved, ALLIANCE, "An alliance ends."),
    FactMutation(
        "recordFigure",
        figure.Claimed,
        FIGURE,
        "A publisher claims a number for a series, in one edition.",
    ),
    FactMutation(
        "preferPublisher",
        figure.Preferred,
        FIGURE,
        "A judgement: of the claims side by side on a figure, use this publisher's.",
    ),
    FactMutation(
        "orderPublishers",
        preference.Ordered,
        PREFERENCE,
        "In which order to trust publishers where figures have several claims.",
    ),
)


@strawberry.enum(description="How a membership changes.")
class MembershipChange(Enum):
    """How a membership changes."""

    JOINED = enum_value("joined", description="The place becomes a member.")
    LEFT = enum_value("left", description="The place is no longer a member.")


def parse_membership(data: dict[str, Any]) -> tuple[str, Fact]:
    """The stream and the fact that a change of membership tells."""
    joined = data["change"] == MembershipChange.JOINED.value
    act = FactMutation("", alliance.MemberJoined if joined else alliance.MemberLeft, ALLIANCE, "")
    return act.to_fact({name: of for name, of in data.items() if name != "change"})


INPUT_PARSERS = {
    **{act.name: act.to_fact for act in FACT_MUTATIONS},
    "recordMembership": parse_membership,
}
"""How the input of each mutation that records a fact is read."""


def input_of_mutation(act: FactMutation) -> type[Any]:
    """The input type of an act: the fact, with the id of the entity unless the fact names it."""
    id = {} if act.names_entity else {"id": str}
    return input_type(f"{act.name[0].upper()}{act.name[1:]}Input", act.fact, act.description, id)


MEMBERSHIP = input_type(
    "RecordMembershipInput",
    alliance.MemberJoined,
    "A place becomes a member of an alliance, or is none any more.",
    {"id": str, "change": MembershipChange},
)
INPUTS = {
    **{act.name: input_of_mutation(act) for act in FACT_MUTATIONS},
    "recordMembership": MEMBERSHIP,
}
"""The inputs of all mutations that record a fact."""
