"""Membership of alliances on a day, from their facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.truth.oracle.declared import european_union
from tests.truth.oracle.events import CountingEvent

KIND = "Alliance."
FULL = ("member", "chair")
"""Roles of members; all other roles only take part."""


@dataclass
class Alliance:
    """The public facts of an alliance."""

    founding: CountingEvent
    names: list[str]
    members: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Start day and role of each participant."""
    members_known: bool = True
    end: CountingEvent | None = None

    @property
    def key(self) -> str:
        """Return its key."""
        return self.founding.entity.removeprefix("alliance/")

    @property
    def status(self) -> str:
        """Return whether it exists, or how it ended."""
        return "ACTIVE" if self.end is None else self.end.type.removeprefix(KIND).upper()

    def full_members(self) -> list[str]:
        """Return the places that are members."""
        return sorted(place for place, (_, role) in self.members.items() if role in FULL)

    def membership(self, place: str, day: date) -> tuple[str, str | None, str | None]:
        """Return the kind of membership of a place, its role, and its union."""
        role = self.members[place][1] if place in self.members else None
        if role in FULL:
            return "MEMBER", role, None
        if place in european_union(day) and "EU" in self.full_members():
            return "THROUGH_UNION", role, "EU"
        if role:
            return "TAKES_PART", role, None
        return "NONE" if self.members_known else "NOT_KNOWN", None, None


def alliances(known: list[CountingEvent], day: date) -> dict[str, Alliance]:
    """Return the public alliances on a day, by key."""
    found: dict[str, Alliance] = {}
    public = [event for event in known if event.type.startswith(KIND) and event.day <= day]
    for event in public:
        if event.type == f"{KIND}Founded":
            told = event.data
            one = Alliance(event, [told["name"]], members_known=told.get("membersKnown", True))
            one.members = dict.fromkeys(told.get("members", []), (told["on"], "member"))
            found.setdefault(event.entity, one)
    for event in public:
        of = found.get(event.entity)
        if of and event is not of.founding and event.day >= of.founding.day:
            _take(of, event)
    return {of.key: of for of in found.values()}


def _take(of: Alliance, event: CountingEvent) -> None:
    told = event.data
    match event.type.removeprefix(KIND):
        case "Renamed":
            of.names.append(told["name"])
        case "MemberJoined":
            place, role = told["member"], told.get("role", "member")
            was = of.members.get(place)
            if was is None:
                of.members[place] = told.get("since", told["on"]), role
            elif was[1] not in FULL or role == "chair":  # of two accounts, the one with more data
                of.members[place] = was[0], role
        case "RoleChanged" if told["member"] in of.members:
            of.members[told["member"]] = of.members[told["member"]][0], told["role"]
        case "MembersListed":
            of.members_known = True
            if listed := told.get("members"):
                others = {p: one for p, one in of.members.items() if one[1] not in FULL}
                full = {p: one for p, one in of.members.items() if one[1] in FULL}
                of.members = others | {p: full.get(p, (told["on"], "member")) for p in listed}
        case "MemberLeft":
            of.members.pop(told["member"], None)
        case "Succeeded" | "Dissolved":
            of.end = of.end or event


def expected_alliance(of: Alliance) -> dict[str, Any]:
    """Return the expected state on a day."""
    told = of.founding.data
    return {
        "name": of.names[-1],
        "formerNames": of.names[:-1],
        "status": of.status,
        "foundedOn": told["on"],
        "endedOn": of.end.data["on"] if of.end else None,
        "membersKnown": of.members_known,
        "partOf": told.get("partOf"),
        "replaces": told.get("replaces"),
        "succeededBy": of.end.data.get("by") if of.end else None,
        "members": {
            place: {"since": since, "role": role.upper()}
            for place, (since, role) in of.members.items()
        },
    }
