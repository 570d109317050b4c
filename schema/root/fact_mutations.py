"""Every fact of the domain that can be recorded, by the name of the mutation that records it.

`ACTS` lists them; what they check is the domain's business.
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
class Act:
    """A mutation that records one kind of fact."""

    name: str
    fact: type[Fact]
    of: type[Entity]
    description: str

    @property
    def names_entity(self) -> bool:
        """Whether the fact names its entity, so that no id is asked for."""
        return self.fact.stream is not Fact.stream

    def told(self, data: dict[str, Any]) -> tuple[str, Fact]:
        """The stream and the fact that an input tells: the fact names its entity, or its id does,
        which may be its key, also that of one which is yet to come.
        """
        fact = from_builtins(self.fact, {name: of for name, of in data.items() if name != "id"})
        if fact.stream:
            return fact.stream, fact
        return f"{self.of.KIND}/{key_of(self.of.KIND, data['id']) or data['id']}", fact


CONTROL, ALLIANCE = export_control.ExportControl, alliance.Alliance
ANNOUNCEMENT, FIGURE = announcement.Announcement, figure.Figure
PREFERENCE = preference.Preference
ACTS = (
    Act(
        "announceExportControl",
        acts.Announced,
        CONTROL,
        "An instrument is announced, with its clauses.",
    ),
    Act(
        "enterIntoForce",
        acts.EnteredIntoForce,
        CONTROL,
        "Clauses of an instrument are in force, from a day.",
    ),
    Act(
        "amendExportControl",
        acts.Amended,
        CONTROL,
        "Clauses of an instrument are worded anew, or joined by others.",
    ),
    Act(
        "extendExportControl",
        acts.Extended,
        CONTROL,
        "Clauses of an instrument hold longer than they said.",
    ),
    Act(
        "suspendExportControl",
        acts.Suspended,
        CONTROL,
        "Clauses of an instrument do not apply from a day on, until another; then they are back.",
    ),
    Act(
        "extendSuspension",
        acts.SuspensionExtended,
        CONTROL,
        "The suspension of clauses lasts longer.",
    ),
    Act("reinstateExportControl", acts.Reinstated, CONTROL, "The suspension of clauses is over."),
    Act("expireExportControl", acts.Expired, CONTROL, "Clauses of an instrument have ended."),
    Act("repealExportControl", acts.Repealed, CONTROL, "Clauses of an instrument are withdrawn."),
    Act(
        "discontinueExportControl",
        acts.Discontinued,
        CONTROL,
        "Clauses of an instrument end without a repeal: withdrawn, lapsed, or concluded without a"
        " measure.",
    ),
    Act(
        "mergeExportControl",
        acts.Merged,
        CONTROL,
        "Clauses of an instrument are repealed since another one carries them on.",
    ),
    Act(
        "disputeExportControl",
        acts.Disputed,
        CONTROL,
        "Another source tells it otherwise: kept beside, not merged.",
    ),
    Act("recordAnnouncement", announcement.Made, ANNOUNCEMENT, "An announcement is made."),
    Act(
        "supersedeAnnouncement",
        announcement.Superseded,
        ANNOUNCEMENT,
        "A later announcement takes the place of one.",
    ),
    Act(
        "foundAlliance",
        alliance.Founded,
        ALLIANCE,
        "An alliance is founded, or an initiative launched as part of one.",
    ),
    Act("renameAlliance", alliance.Renamed, ALLIANCE, "An alliance goes by another name."),
    Act(
        "succeedAlliance", alliance.Succeeded, ALLIANCE, "Another alliance takes the place of one."
    ),
    Act("dissolveAlliance", alliance.Dissolved, ALLIANCE, "An alliance ends."),
    Act(
        "recordFigure",
        figure.Claimed,
        FIGURE,
        "A publisher claims a number for a series, in one edition.",
    ),
    Act(
        "preferPublisher",
        figure.Preferred,
        FIGURE,
        "A judgement: of the claims side by side on a figure, use this publisher's.",
    ),
    Act(
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


def membership(data: dict[str, Any]) -> tuple[str, Fact]:
    """The stream and the fact that a change of membership tells."""
    joined = data["change"] == MembershipChange.JOINED.value
    act = Act("", alliance.MemberJoined if joined else alliance.MemberLeft, ALLIANCE, "")
    return act.told({name: of for name, of in data.items() if name != "change"})


TOLD = {**{act.name: act.told for act in ACTS}, "recordMembership": membership}
"""How the input of each mutation that records a fact is read."""


def input_of(act: Act) -> type[Any]:
    """The input type of an act: the fact, with the id of the entity unless the fact names it."""
    id = {} if act.names_entity else {"id": str}
    return input_type(f"{act.name[0].upper()}{act.name[1:]}Input", act.fact, act.description, id)


MEMBERSHIP = input_type(
    "RecordMembershipInput",
    alliance.MemberJoined,
    "A place becomes a member of an alliance, or is none any more.",
    {"id": str, "change": MembershipChange},
)
INPUTS = {**{act.name: input_of(act) for act in ACTS}, "recordMembership": MEMBERSHIP}
"""The inputs of all mutations that record a fact."""
