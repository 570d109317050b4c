"""`/story`: the acts of a period about a place or a commodity, in order. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import accumulate, groupby
from typing import Any

from msgspec import Struct

from schema.pages.overview.status_changes import STATUS_AFTER, VERBS
from schema.pages.site.address import Address, entity_path
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.name_fields import name_of
from schema.pages.site.page import Page
from tracker import clock
from tracker.domain.basics.control_vocabulary import ClauseStatus
from tracker.domain.basics.word import Shape
from tracker.domain.wording.phrases import date_phrase, listed, many, short_date, with_capital

DEFAULT_DAYS = 365
"""Default length of the period, in days, up to the date of the page."""
MAX_PRINTED_WORDS = 1_950
"""Maximum number of words of the sentences on paper: two sheets with the head of the page."""
SUBJECTS = "commodity", "place"
EVERYTHING = "critical_minerals"


class Act(Struct, frozen=True):
    """An act, or another entity, that changes on a date."""

    entity: str
    title: str
    clauses: int
    positions: tuple[str, ...]
    detail: str

    @property
    def path(self) -> str | None:
        """Return its page."""
        return entity_path(self.entity)


class StoryLine(Struct, frozen=True):
    """One sentence on all acts with the same change on a date."""

    words: str
    shape: Shape | None
    """The shape of the new status of clauses; None for other changes."""
    confirmation: str
    acts: list[Act]
    minor: bool
    """Whether only the words of clauses change."""


class StoryDay(Struct, frozen=True):
    """A date with its sentences."""

    day: str
    lines: list[StoryLine]

    @property
    def words(self) -> int:
        """Return the number of words on paper."""
        texts = (
            f"{self.day} {line.words} {act.title}"
            for line in self.lines
            if not line.minor
            for act in line.acts
        )
        return sum(len(text.split()) for text in texts)


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the story by date, with what is suspended and contested on the date of the page."""
    state, given = data["asOf"], address.parameters
    chosen = {**defaults(address, state["validAt"]), **given}
    start, end = chosen["from"], chosen["until"]
    subject = ", ".join(name_of(chosen[name]) for name in SUBJECTS if name in chosen)
    span = f"since {short_date(start)}"
    if "until" in given:
        span = f"{short_date(start)} to {short_date(end)}"
    changes = [one["transition"] | {"day": one["day"]} for one in state["timeline"]["nodes"]]
    acts = [one for one in changes if one["kind"] != "FIRM"]
    days = [
        StoryDay(day, lines(of_day)) for day, of_day in groupby(acts, key=lambda one: one["day"])
    ]
    printed = [words <= MAX_PRINTED_WORDS for words in accumulate(one.words for one in days)]
    return {
        "title": f"{subject}: {span}",
        "description": summary(acts, whole=len(changes) == state["timeline"]["totalCount"]),
        "change_days": [one["day"] for one in acts],
        "start": start,
        "end": end,
        "days": days,
        "printed": printed.count(True),
        "suspended": by_statement(state["suspended"]["nodes"]),
        "contested": by_statement(state["contested"]["nodes"]),
    }


def defaults(address: Address, day: str | None = None) -> Mapping[str, str]:
    """Return the default period: the year up to the date of the page, or up to today (UTC); without a
    subject the story is about all critical minerals."""
    try:
        end = date.fromisoformat(address.parameters.get("until") or day or address.valid or "")
    except ValueError:
        end = clock.today()
    start = end - min(timedelta(days=DEFAULT_DAYS), end - date.min)
    subject = {} if any(map(address.parameters.get, SUBJECTS)) else {"commodity": EVERYTHING}
    return {"from": start.isoformat(), "until": end.isoformat(), **subject}


def summary(changes: Iterable[Mapping[str, Any]], *, whole: bool) -> str:
    """Return the numbers of controls by change, in a sentence, unless a page has only a part of them."""
    controls: dict[str, set[str]] = {}
    for one in changes:
        if one["kind"] == "EXPORT_CONTROL":
            controls.setdefault(one["transition"], set()).add(one["entity"])
    parts = [
        f"{'' if kind == 'APPEARS' else 'clauses of '}{many(len(ones), 'control')}"
        f" {VERBS[kind][1 if kind == 'APPEARS' and len(ones) == 1 else 2]}"
        for kind in VERBS
        if kind in STATUS_AFTER and (ones := controls.get(kind))
    ]
    if not whole:
        return "The page has a part of the records of this period."
    return (
        f"{with_capital(listed(parts, len(parts)))}."
        if parts
        else "No change of a control is recorded."
    )


def lines(changes: Iterable[Mapping[str, Any]]) -> list[StoryLine]:
    """Return the changes of a date as sentences, each with all acts and clauses that it is about."""
    found: dict[tuple[str, str, str], dict[str, list[tuple[str, str, Mapping[str, Any]]]]] = {}
    for one in changes:
        words, title, detail = sentence(one)
        key = words, one["transition"] if one["clause"] else "", one["confirmation"] or ""
        found.setdefault(key, {}).setdefault(one["entity"], []).append((title, detail, one))
    return [
        StoryLine(
            words,
            ClauseStatus[STATUS_AFTER[kind]].shape if kind in STATUS_AFTER else None,
            confirmation,
            [
                Act(
                    entity,
                    parts[0][0],
                    sum(one["clause"] is not None for _, _, one in parts),
                    tuple(dict.fromkeys(one["because"]["position"] for *_, one in parts)),
                    parts[0][1],
                )
                for entity, parts in by_entity.items()
            ],
            kind == "AMENDED",
        )
        for (words, kind, confirmation), by_entity in found.items()
    ]


def sentence(change: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the recorded sentence in three parts: what happens, the title of the act and details."""
    text, title = change["summary"].removesuffix("."), change["after"].get("title") or ""
    before, found, after = text.partition(title) if title else ("", "", "")
    if not found:
        return "", text, ""
    if before:
        day = f", {date_phrase(date.fromisoformat(change['day']))}"
        return before.removesuffix(": ").removesuffix(day), title, after
    words = after.removeprefix(f": clause {change['clause']}").lstrip(": ")
    return with_capital(words.removeprefix("is ")), title, ""


def by_statement(controls: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[Any]]]:
    """Return the statements on clauses, each with the controls that have such clauses."""
    found: dict[str, list[Any]] = {}
    for control in controls:
        for statement in dict.fromkeys(one["statusStatement"] for one in control["clauses"]):
            found.setdefault(statement, []).append(control)
    return [*found.items()]


PAGE = Page(
    __name__,
    "/story",
    view,
    section="/changes",
    defaults=defaults,
    feed=FeedOfPage(
        commodity="commodity", place="place", calendar=True, ignored=frozenset({"from", "until"})
    ),
)
