"""Alliances: who is in them, what they are called, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import ClassVar

from tracker.domain.entity import CitingState, Entity, Known, Retracted, because, standing
from tracker.domain.values import Fact, Name, PartialDate, Place, Text, Value
from tracker.domain.vocabulary import AllianceStatus
from tracker.errors import InvalidInput


class AllianceFact(Fact, frozen=True, kw_only=True):
    """A fact about an alliance. `on` is the day on which it is so and public."""

    on: PartialDate

    @property
    def public_on(self) -> date:
        """The day on which it is so and public."""
        return self.on.first


class Founded(AllianceFact, frozen=True, kw_only=True):
    """An alliance is founded, or an initiative launched as `part_of` one.

    `members_known` is false while no list of members has been published.
    """

    name: Name
    members: tuple[Place, ...] = ()
    members_known: bool = True
    part_of: Name | None = None
    replaces: Name | None = None
    purpose: Text | None = None


class Renamed(AllianceFact, frozen=True, kw_only=True):
    """The alliance goes by another name."""

    name: Name


class MemberJoined(AllianceFact, frozen=True, kw_only=True):
    """A place becomes a member. `since` is the day it joined, as precisely as it is known, when
    that is not the day on which it became public."""

    member: Place
    since: PartialDate | None = None


class MemberLeft(AllianceFact, frozen=True, kw_only=True):
    """A place is no longer a member from this day."""

    member: Place


class Succeeded(AllianceFact, frozen=True, kw_only=True):
    """Another alliance takes the place of this one."""

    by: Name


class Dissolved(AllianceFact, frozen=True, kw_only=True):
    """The alliance ends."""


class Member(Value, frozen=True, kw_only=True):
    """A member on a day."""

    place: Place
    since: PartialDate


class AllianceState(CitingState, frozen=True, kw_only=True):
    """An alliance on a day."""

    name: str
    status: AllianceStatus
    founded_on: PartialDate
    members: tuple[Member, ...]
    members_known: bool = True
    part_of: Name | None = None
    replaces: Name | None = None
    succeeded_by: str | None = None
    ended_on: PartialDate | None = None
    former_names: tuple[str, ...] = ()
    purpose: Text | None = None


class Alliance(Entity):
    """One alliance of states, or an initiative that has members of its own."""

    KIND: ClassVar[str] = "alliance"
    OPENING: ClassVar[type[Fact]] = Founded
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "Alliance.Founded": Founded,
        "Alliance.Renamed": Renamed,
        "Alliance.MemberJoined": MemberJoined,
        "Alliance.MemberLeft": MemberLeft,
        "Alliance.Succeeded": Succeeded,
        "Alliance.Dissolved": Dissolved,
        "Alliance.Retracted": Retracted,
    }

    def check(self, fact: Fact) -> None:
        """An alliance is founded once, before anything else happens to it; who joins is not a
        member on that day, who leaves is one."""
        facts = [k.fact for k in self.since_opening(standing(self.known))]
        match fact:
            case Founded():
                if facts:
                    raise InvalidInput(f"{self.id} is founded already", code="ALREADY_EXISTS",
                                       path=("id",))
            case _ if fact.public_on < facts[0].public_on:
                raise InvalidInput(f"{self.id} is not founded on {fact.public_on}: expected a day"
                                   f" from {facts[0].public_on} on", code="NOT_FOUNDED",
                                   path=("on",))
            case MemberJoined():
                if fact.member in members_on(facts, fact.public_on):
                    raise InvalidInput(f"{fact.member} is a member of {self.id} on {fact.on}",
                                       code="ALREADY_MEMBER", path=("member",))
            case MemberLeft():
                if fact.member not in members_on(facts, fact.public_on):
                    raise InvalidInput(f"{fact.member} is not a member of {self.id} on {fact.on}",
                                       code="NOT_A_MEMBER", path=("member",))

    @classmethod
    def state_on(cls, id: str, facts: Sequence[Known], day: date) -> AllianceState | None:
        """The alliance as far as it is public by `day`."""
        public = cls.since_opening(k for k in facts if k.fact.public_on <= day)
        if not public:
            return None
        founded = public[0].fact
        assert isinstance(founded, Founded)
        names = [founded.name, *(k.fact.name for k in public if isinstance(k.fact, Renamed))]
        end = next((k.fact for k in public if isinstance(k.fact, Succeeded | Dissolved)), None)
        return AllianceState(
            id=id,
            name=names[-1],
            status=_status(end),
            founded_on=founded.on,
            members=tuple(members_on((k.fact for k in public), day).values()),
            members_known=founded.members_known,
            part_of=founded.part_of,
            replaces=founded.replaces,
            purpose=founded.purpose,
            succeeded_by=end.by if isinstance(end, Succeeded) else None,
            ended_on=end.on if end else None,
            former_names=tuple(names[:-1]),
            because=because(public),
        )


def members_on(facts: Iterable[Fact], day: date) -> dict[Place, Member]:
    """The members on `day` by place, from the facts in valid-time order."""
    members: dict[Place, Member] = {}
    for fact in facts:
        if fact.public_on > day:
            continue
        match fact:
            case Founded():
                for place in fact.members:
                    members.setdefault(place, Member(place=place, since=fact.on))
            case MemberJoined():
                joined = Member(place=fact.member, since=fact.since or fact.on)
                members.setdefault(fact.member, joined)
            case MemberLeft():
                members.pop(fact.member, None)
    return members


def _status(end: Fact | None) -> AllianceStatus:
    match end:
        case Succeeded():
            return AllianceStatus.SUCCEEDED
        case Dissolved():
            return AllianceStatus.DISSOLVED
    return AllianceStatus.ACTIVE
