"""Subscriptions: address, page, frequency, time zone and the time of the next digest. Pure."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

from tracker.errors import InvalidInput

ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,190}$)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
)
"""Pattern of an address in ASCII, without quotes and comments."""
DIGEST_TIME = time(7)
"""Local time of daily and weekly digests; weekly ones are sent on Mondays."""
MAX_TARGET_CHARACTERS = 500
NO_ZONES = frozenset({"Factory", "localtime"})
"""Names that the database of time zones has for machines: a missing zone, and that of the server."""


class Frequency(StrEnum):
    """The frequency of digests."""

    IMMEDIATE = "immediate"
    DAILY = "daily"
    WEEKLY = "weekly"


class Choice(Struct, frozen=True):
    """The page that a subscription is about, the frequency of its digests, and their time zone."""

    target: str
    frequency: Frequency
    time_zone: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """A confirmed subscription with the moment of its last digest. It has no address."""

    id: UUID
    choice: Choice
    position: int
    day: date


def parse_address(text: str) -> str:
    """Return an address with its domain in lower case. Raises InvalidInput, which does not repeat it."""
    address = text.strip()
    local, _, domain = address.rpartition("@")
    if not ADDRESS.fullmatch(address) or ".." in address or local.strip(".") != local:
        raise InvalidInput(
            "expected an e-mail address in ASCII, such as name@example.com",
            code="INVALID_ADDRESS",
            path=("address",),
        )
    return f"{local}@{domain.lower()}"


def parse_frequency(text: str) -> Frequency:
    """Return a frequency. Raises InvalidInput."""
    try:
        return Frequency(text.lower())
    except ValueError:
        words = ", ".join(Frequency)
        raise InvalidInput(f"expected one of {words}", path=("frequency",)) from None


def parse_time_zone(text: str) -> str:
    """Return the name of a time zone of the IANA database. Raises InvalidInput."""
    name = text.strip() or "UTC"
    if name in NO_ZONES or name not in available_timezones():
        raise InvalidInput(
            "expected a time zone of the IANA database, such as Europe/Berlin", path=("timeZone",)
        )
    return name


def local_day(choice: Choice, now: datetime) -> date:
    """Return the date at a time in the time zone of a subscription."""
    return now.astimezone(ZoneInfo(choice.time_zone)).date()


def next_due(choice: Choice, now: datetime, interval: timedelta) -> datetime:
    """Return the time of the comparison after one at `now`.

    Daily and weekly digests are due at seven o'clock local time; `interval` is that of immediate ones.
    """
    if choice.frequency is Frequency.IMMEDIATE:
        return now + interval
    local = now.astimezone(ZoneInfo(choice.time_zone))
    day = local.date()
    while True:
        due = datetime.combine(day, DIGEST_TIME, local.tzinfo)
        if due > local and (choice.frequency is Frequency.DAILY or day.weekday() == 0):
            return due
        day += timedelta(days=1)
