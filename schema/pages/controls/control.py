"""`/controls/{key}`: one instrument with the status of its clauses and its history. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from schema.pages.charts.scale import window_around
from schema.pages.charts.square import Act, Moment, Square, Version, draw_square, versions_of
from schema.pages.charts.status_bars import RowOfPeriods, StatusTable, draw_status_table, track_of
from schema.pages.controls.rule_words import next_step
from schema.pages.controls.status_sentences import heading, leads
from schema.pages.site.address import Address
from schema.pages.site.embedding import AnswerLine
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.images import CHART, status_image
from schema.pages.site.page import Page, entity_of
from schema.pages.site.watch_words import horizon_of, watch_sentences
from schema.pages.site.words import publisher_of
from tracker.domain.basics.control_vocabulary import ClauseStatus, Measure
from tracker.domain.wording.phrases import listed, short_date, with_capital, word_phrase
from tracker.errors import NotFound

WORDS: Mapping[str, str] = {
    "Announced": "Announced",
    "Amended": "Amended",
    "EnteredIntoForce": "In force",
    "Extended": "Extended",
    "Suspended": "Suspended",
    "SuspensionExtended": "Suspended longer",
    "SuspensionStated": "Suspension stated",
    "Reinstated": "Back in force",
    "Expired": "Expired",
    "Repealed": "Repealed",
    "Merged": "Merged",
    "Discontinued": "Ended",
    "Disputed": "Different account",
    "Related": "Relation of duties",
    "Retracted": "Retracted",
}
"""Words by the types of events, without `ExportControl.`."""
MAX_CHARACTERS = 110
"""Maximum length of the text beside a row of the square."""


@dataclass(frozen=True)
class RecordedAct:
    """An act, with its corrections up to the position of the page."""

    event: Mapping[str, Any]
    word: str
    says: str
    later: bool
    """Whether it was recorded after the position of the page."""
    gone: bool
    """Whether it was retracted by the position of the page."""
    retracted_by: int | None
    replaced_by: int | None

    @property
    def position(self) -> int:
        """Return its position in the log."""
        return int(self.event["position"])


def recorded_acts(
    events: Sequence[Mapping[str, Any]], title: str, position: int
) -> list[RecordedAct]:
    """Return the acts for a page, as known at its position."""
    retracts = {
        int(event["retractedBy"]["position"]): int(event["position"])
        for event in events
        if event["retractedBy"]
    }
    return [_recorded_act(event, title, position, retracts) for event in events]


def _recorded_act(
    event: Mapping[str, Any], title: str, position: int, retracts: Mapping[int, int]
) -> RecordedAct:
    kind = event["type"].rpartition(".")[2]
    word = WORDS.get(kind, kind)
    at = int(event["position"])
    if kind == "Retracted" and at in retracts:
        word = f"Retracted event {retracts[at]:,}"
    retracted_by = _known(event["retractedBy"], position)
    return RecordedAct(
        event,
        word,
        _without_title(event["summary"], title),
        at > position,
        retracted_by is not None,
        retracted_by,
        _known(event["replacedBy"], position),
    )


def _known(link: Mapping[str, Any] | None, position: int) -> int | None:
    """Return the position of a later act, if it is known at the position of the page."""
    if link is None or int(link["position"]) > position:
        return None
    return int(link["position"])


def _without_title(summary: str, title: str) -> str:
    """Return the sentence of an act, without the title of the instrument and its first word."""
    text = summary.removeprefix(f"{title}: ")
    for word in ("amended ", "Retracted: ", "Corrected: "):
        text = text.removeprefix(word)
    return with_capital(text)


def acts_of_square(acts: Sequence[RecordedAct]) -> list[Act]:
    """Return the acts with short texts for the square."""
    return [Act(act.position, act.word, _beginning(act.says)) for act in acts]


def _beginning(text: str) -> str:
    if len(text) <= MAX_CHARACTERS:
        return text
    return text[:MAX_CHARACTERS].rsplit(" ", 1)[0] + " …"


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the data of the page of an instrument. Raises NotFound if it was never recorded."""
    as_of = data["asOf"]
    moment = Moment(date.fromisoformat(as_of["validAt"]), int(as_of["position"]), address.pinned)
    control = as_of["exportControl"]
    log = data["log"]
    versions = versions_of(log["history"]["nodes"])
    title = _title(control, log)
    acts = recorded_acts(log["events"]["nodes"], title, moment.position)
    if not acts:
        key = address.parameters["key"]
        raise NotFound(f"No export control {key} is recorded up to position {moment.position:,}")
    shown: dict[str, Any] = {
        "control": control,
        "acts": acts,
        "hidden_acts": log["events"]["totalCount"] - len(acts),
        "instrument": title,
        "positions": [act.position for act in acts],
    }
    if control is None:
        return shown | _absent(versions, acts, moment, address)
    return shown | _present(control, as_of, versions, acts, moment, address)


def _title(control: Mapping[str, Any] | None, log: Mapping[str, Any]) -> str:
    """Return the title of the instrument at the moment, or else its first recorded title."""
    states = [version["state"] for version in log["history"]["nodes"]]
    return str(next((each["title"] for each in (control, *states) if each), ""))


def _present(
    control: Mapping[str, Any],
    as_of: Mapping[str, Any],
    versions: Sequence[Version],
    acts: Sequence[RecordedAct],
    moment: Moment,
    address: Address,
) -> dict[str, Any]:
    known_until = facts_until(as_of["horizon"], control)
    table = clause_bars(control, moment.day)
    title = heading(control, moment.day)
    first_lines = leads(control, moment.day)
    texts = [one.text for one in first_lines]
    return {
        "title": title,
        "next": next_step_of(control),
        "description": " ".join([control["title"] + ".", *texts]),
        "leads": first_lines,
        "answer_lines": [
            AnswerLine(f"{control['title']}."),
            *map(AnswerLine, texts),
            *map(AnswerLine, filter(None, [next_step_of(control)])),
        ],
        "table_of_clauses": table,
        "square": _square(versions, acts, moment, address, table),
        "change_days": change_days(table),
        "facts_until": known_until,
        "watch": watch_sentences(
            horizon_of(as_of["horizon"], control["issuer"]["code"]), moment.day
        ),
        "newest_source": newest_source(control),
        "sources": sorted({publisher_of(because["source"]) for because in control["because"]}),
        "charts": {CHART: status_image(table, title, as_of["position"], (control["title"],))},
    }


def _absent(
    versions: Sequence[Version], acts: Sequence[RecordedAct], moment: Moment, address: Address
) -> dict[str, Any]:
    """Return the page for a moment without a state; other dates or positions have one."""
    at_position = [
        version
        for version in versions
        if version.known_first <= moment.position
        and (version.known_last is None or moment.position <= version.known_last)
    ]
    first_day = min((version.valid_first for version in at_position), default=None)
    first_position = acts[0].position
    if first_day is not None:
        title = f"Nothing on {short_date(moment.day)}"
    elif first_position > moment.position:
        title = f"Not yet recorded at position {moment.position:,}"
    else:
        title = f"Not recorded at position {moment.position:,}"
    table = draw_status_table((), moment.day, window_around(_days(versions), moment.day))
    return {
        "title": title,
        "first_day": first_day.isoformat() if first_day else None,
        "first_position": first_position if first_position > moment.position else None,
        "table_of_clauses": table,
        "square": _square(versions, acts, moment, address, table),
        "change_days": sorted({version.valid_first.isoformat() for version in versions}),
    }


def _days(versions: Sequence[Version]) -> list[date]:
    return [version.valid_first for version in versions]


def _square(
    versions: Sequence[Version],
    acts: Sequence[RecordedAct],
    moment: Moment,
    address: Address,
    table: StatusTable,
) -> Square:
    def link(day: date, position: int) -> str:
        return address.at(valid=day.isoformat(), position=position)

    return draw_square(versions, acts_of_square(acts), moment, table.scale, link)


def clause_bars(control: Mapping[str, Any], day: date) -> StatusTable:
    """Return a row for each clause of an instrument."""
    return draw_status_table(
        [
            RowOfPeriods(
                label=clause_label(clause),
                tracks=[track_of(clause)],
                sub=clause_sub(clause),
                href=f"#clause-{number}",
            )
            for number, clause in enumerate(control["clauses"], 1)
        ],
        day,
    )


def clause_label(clause: Mapping[str, Any]) -> str:
    """Return the content of a clause in few words: goods, then limits."""
    goods = listed([commodity["name"] for commodity in clause["commodities"]], 3)
    covers = "" if clause["covers"] == "GOODS" else f": {word_phrase(clause['covers'])}"
    for_use = f", for {clause['endUse']}" if clause["endUse"] else ""
    return f"{goods}{covers}{for_use}"


def next_step_of(control: Mapping[str, Any]) -> str:
    """Return the next step of a trader, by the strongest clause in force or else by the next one."""

    def rank(of: Mapping[str, Any]) -> tuple[int, int]:
        return ClauseStatus[of["status"]].rank, Measure[of["measure"]].rank

    first = min(control["clauses"], key=rank, default=None)
    return next_step(first["measure"], control["direction"], first["status"]) if first else ""


def newest_source(control: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the source of the newest event that a status on the day follows from."""
    because = [one for clause in control["clauses"] if (one := clause["statusBecause"])]
    if not because:
        return None
    source: Mapping[str, Any] = max(because, key=lambda one: int(one["position"]))["source"]
    return source


def clause_sub(clause: Mapping[str, Any]) -> str:
    """Return the small line below a clause: its measure, where to or from, and its key."""
    toward = [place["name"] for place in clause["destinations"]]
    origins = [place["name"] for place in clause["origins"]]
    parts = [word_phrase(clause["measure"])]
    if toward:
        parts.append(f"to {listed(toward, 2)}")
    if origins:
        parts.append(f"from {listed(origins, 2)}")
    parts.append(f"clause {clause['key']}")
    return " · ".join(parts)


def change_days(table: StatusTable) -> list[str]:
    """Return the dates on which a status begins, once for each clause."""
    return [
        period.first.isoformat()
        for row in table.rows
        for track in row.row.tracks
        for period in track.periods
    ]


def facts_until(horizon: Sequence[Mapping[str, Any]], control: Mapping[str, Any]) -> date | None:
    """Return the date of the newest known fact of the issuer of an instrument."""
    code = control["issuer"]["code"]
    return next(
        (
            date.fromisoformat(each["newestFactOn"])
            for each in horizon
            if each["issuer"] == code and each["newestFactOn"]
        ),
        None,
    )


PAGE = Page(
    __name__,
    "/controls/{key}",
    view,
    section="/controls",
    made={
        "entity": entity_of("export-control"),
        "until": lambda address: address.position if address.pinned else None,
    },
    feed=FeedOfPage(entity=entity_of("export-control"), calendar=True),
)
