"""Alliances: members, names, and their end."""

from datetime import date
from typing import ClassVar, NamedTuple

from msgspec import structs

from tracker.domain.basics.values import Name, PartialDate, Text, Value
from tracker.domain.basics.vocabulary import AllianceStatus, MemberRole, MembershipKind
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import unions_of
from tracker.domain.entities.entity import (
    CitingFold,
    Entity,
    RecordedFact,
    Retracted,
    StateWithEvidence,
)
from tracker.domain.entities.fact import DatedFact, Fact
from tracker.errors import InvalidInput


class AllianceFact(DatedFact, frozen=True, kw_only=True):
    """A fact about an alliance. `on` is the day from which it applies and is public."""

    @property
    def issuers(self) -> tuple[str, ...]:
        """The members that the fact names."""
        member = getattr(self, "member", None)
        return (member,) if member else getattr(self, "members", ())


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
    """The alliance takes another name."""

    name: Name


class MemberJoined(AllianceFact, frozen=True, kw_only=True):
    """A place becomes a member, or takes part in another role.

    `since` is the day on which it joined, if that is not the day on which this became public. It is as
    precise as recorded.
    """

    member: Place
    since: PartialDate | None = None
    role: MemberRole = MemberRole.MEMBER


class RoleChanged(AllianceFact, frozen=True, kw_only=True):
    """A participant changes its role from this day: an observer becomes a member, a member the chair."""

    member: Place
    role: MemberRole


class MembersListed(AllianceFact, frozen=True, kw_only=True):
    """A list of the members becomes public: from this day they are known.

    `members` is the complete list, if given. A place on it without a recorded membership is a member from
    this day, and members that are not on it have left. Without `members`, the members recorded so far are
    all.
    """

    members: tuple[Place, ...] = ()


class MemberLeft(AllianceFact, frozen=True, kw_only=True):
    """A place is no longer a member from this day."""

    member: Place


class Succeeded(AllianceFact, frozen=True, kw_only=True):
    """Another alliance replaces this one."""

    by: Name


class Dissolved(AllianceFact, frozen=True, kw_only=True):
    """The alliance ends."""


class Member(Value, frozen=True, kw_only=True):
    """A member on a day."""

    place: Place
    """The member."""
    since: PartialDate
    """The day on which it joined, as exactly as known."""
    role: MemberRole = MemberRole.MEMBER
    """Its role; only MEMBER and CHAIR are members."""


class Membership(NamedTuple):
    """The relation of a place to an alliance on a day: its role, or the union through which it belongs."""

    kind: MembershipKind
    """Member, member through a union, or no member."""
    role: MemberRole | None = None
    """The role in which the place itself takes part."""
    union: Place | None = None
    """The union through which the place belongs to the alliance."""


class AllianceState(StateWithEvidence, frozen=True, kw_only=True):
    """An alliance on a day."""

    name: str
    """Its name on this day."""
    status: AllianceStatus
    """Whether it exists, was succeeded or was dissolved."""
    founded_on: PartialDate
    """The day on which it was founded."""
    members: tuple[Member, ...]
    """Its members on this day, and participants in other roles."""
    members_known: bool = True
    """False while no list of members has been published."""
    part_of: Name | None = None
    """The key of the alliance that it is an initiative of; null if of none."""
    replaces: Name | None = None
    """The key of the alliance that it replaced; null if none."""
    succeeded_by: str | None = None
    """The key of the alliance that replaced it; null while none has."""
    ended_on: PartialDate | None = None
    """The day on which it was dissolved or succeeded; null while it exists."""
    former_names: tuple[str, ...] = ()
    """Its earlier names, the oldest first."""
    purpose: Text | None = None
    """Its purpose."""

    def membership(self, place: Place, day: date) -> Membership:
        """Return the relation of a place on a day: member itself, member through a union, or neither."""
        roles = {member.place: member.role for member in self.members}
        role = roles.get(place)
        if role and role.is_membership:
            return Membership(MembershipKind.MEMBER, role)
        for union in unions_of(place, day):
            if union in roles and roles[union].is_membership:
                return Membership(MembershipKind.THROUGH_UNION, role, union)
        if role:
            return Membership(MembershipKind.TAKES_PART, role)
        return Membership(MembershipKind.NONE if self.members_known else MembershipKind.NOT_KNOWN)


class AllianceFold(CitingFold[AllianceState]):
    """The fold of an alliance's facts."""

    __slots__ = ("end", "founded", "members", "members_known", "names")
    NEEDS_OPENING = True

    def __init__(self) -> None:
        super().__init__()
        self.founded: Founded | None = None
        self.names: list[str] = []
        self.members: dict[Place, Member] = {}
        self.members_known = True
        self.end: Succeeded | Dissolved | None = None

    def take(self, known: RecordedFact) -> None:
        """Apply a fact.

        Facts dated before the founding are ignored. They exist if a correction moved the founding to a later
        day.
        """
        if self.founded is None and not isinstance(known.fact, Founded):
            return
        self.cite(known)
        match known.fact:
            case Founded() as fact:
                if self.founded is None:
                    self.founded = fact
                    self.members_known = fact.members_known
                    self.names.append(fact.name)
                for place in fact.members:
                    self.members.setdefault(place, Member(place=place, since=fact.on))
            case Renamed() as fact:
                self.names.append(fact.name)
            case MemberJoined() as fact:
                since = fact.since or fact.on
                joined = Member(place=fact.member, since=since, role=fact.role)
                self.members[fact.member] = _after_joining(self.members.get(fact.member), joined)
            case RoleChanged() as fact:
                if member := self.members.get(fact.member):
                    self.members[fact.member] = structs.replace(member, role=fact.role)
            case MembersListed() as fact:
                self._take_list(fact)
            case MemberLeft() as fact:
                self.members.pop(fact.member, None)
            case Succeeded() | Dissolved() as fact:
                self.end = self.end or fact

    def _take_list(self, fact: MembersListed) -> None:
        self.members_known = True
        if not fact.members:
            return
        known = {of.place: of for of in self.members.values() if of.role.is_membership}
        others = {place: of for place, of in self.members.items() if place not in known}
        listed = {
            place: known.get(place) or Member(place=place, since=fact.on) for place in fact.members
        }
        self.members = others | listed

    def state(self, id: str, day: date) -> AllianceState | None:
        """Return the alliance as public by `day`."""
        founded, end = self.founded, self.end
        if founded is None:
            return None
        return AllianceState(
            id=id,
            name=self.names[-1],
            status=_status(end),
            founded_on=founded.on,
            members=tuple(self.members.values()),
            members_known=self.members_known,
            part_of=founded.part_of,
            replaces=founded.replaces,
            purpose=founded.purpose,
            succeeded_by=end.by if isinstance(end, Succeeded) else None,
            ended_on=end.on if end else None,
            former_names=tuple(self.names[:-1]),
            because=self.because,
        )


def _after_joining(before: Member | None, joined: Member) -> Member:
    """Return the participants after a further record of one.

    A later record counts only if it changes the role to a higher one: member instead of observer, chair
    instead of member. Otherwise the first record counts.
    """
    if before is None:
        return joined
    is_more = not before.role.is_membership or joined.role is MemberRole.CHAIR
    return structs.replace(before, role=joined.role) if is_more else before


class Alliance(Entity):
    """One alliance of states, or an initiative with members of its own."""

    KIND: ClassVar[str] = "alliance"
    INITIAL_FACT: ClassVar[type[Fact]] = Founded
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "Alliance.Founded": Founded,
        "Alliance.Renamed": Renamed,
        "Alliance.MemberJoined": MemberJoined,
        "Alliance.MemberLeft": MemberLeft,
        "Alliance.RoleChanged": RoleChanged,
        "Alliance.MembersListed": MembersListed,
        "Alliance.Succeeded": Succeeded,
        "Alliance.Dissolved": Dissolved,
        "Alliance.Retracted": Retracted,
    }

    FOLD = AllianceFold

    def check(self, fact: Fact) -> None:
        """Check that an alliance is founded once and first, that joining places are not members, and that
        leaving ones are."""
        self._check_links(fact)
        founded = self._fold().founded
        match fact:
            case Founded():
                if founded:
                    raise InvalidInput(
                        f"{self.id} is founded already", code="ALREADY_EXISTS", path=("id",)
                    )
            case _ if fact.public_on < founded.public_on:
                raise InvalidInput(
                    f"{self.id} is not founded on {fact.public_on}: expected a day"
                    f" from {founded.public_on} on",
                    code="NOT_FOUNDED",
                    path=("on",),
                )
            case MemberJoined():
                if fact.member in self._fold(fact.public_on).members:
                    raise InvalidInput(
                        f"{fact.member} is a member of {self.id} on {fact.on}",
                        code="ALREADY_MEMBER",
                        path=("member",),
                    )
            case MemberLeft() | RoleChanged():
                if fact.member not in self._fold(fact.public_on).members:
                    raise InvalidInput(
                        f"{fact.member} is not a member of {self.id} on {fact.on}",
                        code="NOT_A_MEMBER",
                        path=("member",),
                    )

    def _check_links(self, fact: Fact) -> None:
        """Reject an alliance that is part of itself, replaces itself or succeeds itself."""
        own = self.id.removeprefix(f"{self.KIND}/")
        for field in ("part_of", "replaces", "by"):
            link = getattr(fact, field, None)
            if link is not None and link.removeprefix(f"{self.KIND}/") == own:
                raise InvalidInput(
                    f"{self.id} can't be linked to itself: expected another alliance",
                    code="LINKED_TO_ITSELF",
                    path=("partOf" if field == "part_of" else field,),
                )


def _status(end: Fact | None) -> AllianceStatus:
    match end:
        case Succeeded():
            return AllianceStatus.SUCCEEDED
        case Dissolved():
            return AllianceStatus.DISSOLVED
    return AllianceStatus.ACTIVE
