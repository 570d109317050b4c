"""Facts of entities with many events, by kind of entity."""

from collections.abc import Callable

from tests.support.fact_builders import announced, claimed, clause, fact
from tracker.domain.actors.alliance import Founded, MemberJoined, MemberLeft
from tracker.domain.actors.announcement import Made, Superseded
from tracker.domain.controls.export_control_acts import (
    Amended,
    Disputed,
    Suspended,
    SuspensionExtended,
)
from tracker.domain.entities.fact import Fact
from tracker.domain.evidence.watched_source_facts import Looked, Unchanged, Watched

Make = Callable[[int, str], Fact]
"""The fact of an entity by number, from 0 on, and public day."""


def _announcement(number: int, on: str) -> Fact:
    if number == 0:
        return fact(Made, on, kind="statement", title="A statement", actors=["US"])
    return fact(Superseded, on, by=f"announcement/a{number}")


def _control(number: int, on: str) -> Fact:
    if number == 0:
        return announced(clause("1"), clause("2"), on=on)
    return (
        fact(Amended, on, clauses=[clause(str(1 + number % 5))]),
        fact(Suspended, on, clauses=["1"], suspendedFrom="2030-01-01", suspendedUntil="2030-12-31"),
        fact(SuspensionExtended, on, clauses=["1"], suspendedUntil="2031-12-31"),
        fact(Disputed, on, account="Another source tells it otherwise"),
    )[number % 4]


def _figure(number: int, on: str) -> Fact:
    publisher = ("usgs", "bgs", "iea")[number % 3]
    return claimed(number, publisher=publisher, edition=f"no {number}", published_on=on)


def _alliance(number: int, on: str) -> Fact:
    if number == 0:
        return fact(Founded, on, name="The Quad")
    member = ("US", "JP", "AU", "IN", "KR", "DE", "FR")[(number - 1) // 2 % 7]
    return fact(MemberJoined if number % 2 else MemberLeft, on, member=member)


def _source(number: int, on: str) -> Fact:
    at = {"look": 1 + number // 2, "at": f"{on}T12:00:00Z"}
    address = "https://www.federalregister.gov/api/v1/documents.json"
    if number == 0:
        fields = {"name": "The Register", "adapter": "federal-register", "address": address}
        return fact(Watched, on, **fields, issuers=["US"], everyHours=12)
    if number % 2:
        return fact(Unchanged, on, **at, address=address, status=304, sha256="0" * 64)
    return fact(Looked, on, **at, startedAt=at["at"], requests=1, complete=True, coversUntil=on)


KINDS: dict[str, tuple[str, Make]] = {
    "announcement": ("announcement/a", _announcement),
    "control": ("export-control/a", _control),
    "figure": ("figure/rare_earths/CN/production/mine/2023", _figure),
    "alliance": ("alliance/a", _alliance),
    "source": ("source/us", _source),
}
