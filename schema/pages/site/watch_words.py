"""Sentences about watched sources and the age of their data. Pure.

They depend on the moment of the page only: days are counted up to its date, not to the present one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from tracker.domain.wording.phrases import many, short_date


class WatchedIssuer(Struct, frozen=True):
    """An issuer, the date of its newest fact, and its watched sources in sentences."""

    code: str
    name: str
    newest_fact_on: str | None
    sentences: list[str]


def watch_sentences(known: Mapping[str, Any] | None, day: date) -> list[str]:
    """Return sentences on the watched sources of an issuer, by its horizon (the fragment Known), as of a
    date."""
    if known is None or not known["sourceCount"]:
        return ["No source is monitored, so newer acts may be missing."]
    count = known["sourceCount"]
    parts = []
    if polled_at := known["lookedAt"]:
        subject = "Its source was" if count == 1 else f"All of its {many(count, 'source')} were"
        parts.append(f"{subject} read on {short_date(polled_at)} or later{_seen(known)}.")
    if late := days_late(known["nextLookExpectedAt"], day):
        parts.append(
            f"The next poll was due on {short_date(known['nextLookExpectedAt'])}, {many(late, 'day')} before"
            " the effective date, so newer acts may be missing."
        )
    return [*parts, *map(_unread, known["notRead"])]


def watched_issuers(
    horizon: Sequence[Mapping[str, Any]], issuers: Iterable[Mapping[str, Any]], day: date
) -> list[WatchedIssuer]:
    """Return the watched sources of each issuer in sentences, by their horizons (the fragment Known)."""
    names = {one["code"]: one["name"] for one in issuers}
    sentences = []
    for code, name in sorted(names.items(), key=lambda pair: pair[1]):
        known = horizon_of(horizon, code)
        newest = known["newestFactOn"] if known else None
        sentences.append(WatchedIssuer(code, name, newest, watch_sentences(known, day)))
    return sentences


def days_late(expected: str | None, day: date) -> int:
    """Return the number of days by which a poll was late on a date; 0 if it was not."""
    return max((day - _of(expected)).days, 0) if expected else 0


def horizon_of(horizon: Iterable[Mapping[str, Any]], issuer: str) -> Mapping[str, Any] | None:
    """Return the horizon of one issuer; None without a fact and without a watched source."""
    return next((one for one in horizon if one["issuer"] == issuer), None)


def _seen(known: Mapping[str, Any]) -> str:
    if not known["coversUntil"]:
        return ""
    day = short_date(known["coversUntil"])
    return f"; announcements up to {day} were read, and may wait for review"


def _unread(source: Mapping[str, Any]) -> str:
    if not source["since"]:
        return f"{source['name']} was never read."
    why = f" ({source['code']})" if source["code"] else ""
    return f"{source['name']} has not been readable since {short_date(source['since'])}{why}."


def _of(at: str) -> date:
    """Return the date of a time (UTC)."""
    return date.fromisoformat(at[:10])
