"""`/check`: the recorded rules for a shipment, with questions on the possible ones. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from msgspec import Struct

from schema.inputs.shipment import SHORT_NAMES, WORDS
from schema.pages.charts.scale import window_around
from schema.pages.charts.status_bars import RowOfPeriods, StatusTable, draw_status_table, track_of
from schema.pages.check.questions import (
    FIELDS,
    AskedQuestion,
    asked_questions,
    further_questions,
    given_answers,
    key_of,
    possible_rules,
)
from schema.pages.check.sentences import answer, percent_range, rules_of_origin, shipment_title
from schema.pages.controls.control import change_days
from schema.pages.obligations.obligations import with_act
from schema.pages.overview.status_changes import change_lines, days_of_changes
from schema.pages.site.address import Address, path_of
from schema.pages.site.embedding import AnswerLine
from schema.pages.site.images import CHART, status_image
from schema.pages.site.name_fields import name_of
from schema.pages.site.page import Page, TableOfPage
from schema.pages.site.watch_words import watched_issuers
from schema.pages.site.words import publisher_of
from tracker.domain.shipments.shipment import GOODS
from tracker.domain.wording.phrases import word_phrase

MAX_ROWS = 24
DAYS_BEFORE, DAYS_AFTER = 730, 1096
"""Days around the date of the page whose changes determine the window."""
NOT_IN_FORCE = "Suspended, not yet in force or ended"
GROUPS = {"CERTAIN": "Certain", "POSSIBLE": "Possible"}


def timeline(shipment: Mapping[str, Any], day: date, address: Address) -> StatusTable:
    """Return a row for each rule: certain ones, those not in force, then possible ones."""
    rows = [*_rows(shipment, address)][:MAX_ROWS]
    days = [
        period.first
        for row in rows
        for track in row.tracks
        for period in track.periods
        if -DAYS_BEFORE <= (period.first - day).days <= DAYS_AFTER
    ]
    return draw_status_table(rows, day, window_around(days, day))


def _rows(shipment: Mapping[str, Any], address: Address) -> Iterator[RowOfPeriods]:
    by_match: dict[str, list[Mapping[str, Any]]] = {match: [] for match in GROUPS}
    for verdict in shipment["verdicts"]:
        if verdict["clause"]:
            by_match[verdict["match"]].append(verdict["clause"])
    for rule in by_match["CERTAIN"]:
        yield _row(rule, GROUPS["CERTAIN"], address)
    for rule in shipment["notInForce"]:
        yield _row(rule, NOT_IN_FORCE, address)
    for rule in by_match["POSSIBLE"]:
        yield _row(rule, GROUPS["POSSIBLE"], address)


def _row(rule: Mapping[str, Any], group: str, address: Address) -> RowOfPeriods:
    control, clause = rule["control"], rule["clause"]
    return RowOfPeriods(
        label=f"{control['issuer']['name']}: {word_phrase(clause['measure'])}",
        tracks=[track_of(clause)],
        sub=f"{control['title']}, clause {clause['key']}",
        href=address.link(path_of("controls", control["key"])),
        group=group,
    )


TITLE = "Check a shipment"
DISCLAIMER = "Information, not legal advice: the law can differ from the records."
NO_RULE = "A missing rule does not mean that none exists, unless the lists are complete."
OF_ORIGIN = ("exportCountry", "route", "exporter", "preference", "contents", "answers")
"""Fields of the stated origin, which are left out of a check of another origin."""
MAX_FIRMS = 300
"""Maximum number of suggestions of firms."""
MAX_QUESTIONS = 3
"""Maximum number of questions in the answer; the possible rules have all."""
MAX_DATES = 6
"""Maximum number of dates that the page offers for another check."""


class Duties(Struct, frozen=True):
    """The duties of a direction with the path of their total in the data."""

    trade: str
    total: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Return the path of the total."""
        return f"asOf.shipment.{self.trade}Duties"

    @property
    def sentence(self) -> str:
        """Return the total in a sentence."""
        return str(self.total["statement"])


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the form, and the check of a shipment if the address has one."""
    state = data["asOf"]
    shipment = state.get("shipment")
    shown: dict[str, Any] = {
        "title": TITLE,
        "description": f"Rules, duties and upcoming changes for a shipment. {DISCLAIMER}",
        "values": address.query,
        "problem": None,
        "checked": shipment,
        "fields": FIELDS,
        "words": {name: [*words.__members__] for name, words in WORDS.items()},
        "firms": [*dict.fromkeys(_firms(state))][:MAX_FIRMS],
    }
    return shown | _checked(state, shipment, address) if shipment else shown


def _checked(
    state: Mapping[str, Any], shipment: Mapping[str, Any], address: Address
) -> dict[str, Any]:
    day = date.fromisoformat(state["validAt"])
    questions = asked_questions(shipment, address)
    sentences = answer(shipment)
    bars = timeline(shipment, day, address)
    title = f"{TITLE}: {shipment_title(address.query)}"
    possible = possible_rules(shipment["verdicts"], questions)
    coming = change_lines(shipment["upcoming"])
    return {
        "title": title,
        "description": " ".join(
            [f"{one.certainty}: {one.text}" for one in sentences[:3]] + [DISCLAIMER]
        ),
        "answer": sentences,
        "answer_lines": [
            AnswerLine(
                one.text, one.certainty, path_of("controls", one.control) if one.control else ""
            )
            for one in sentences
        ],
        "limits": limits(shipment),
        "certain": [one for one in shipment["verdicts"] if one["match"] == "CERTAIN"],
        "possible": possible,
        "first_questions": _of_possible_rules(questions, shipment)[:MAX_QUESTIONS],
        "further": partial(further_questions, questions),
        "questions": questions,
        "given": given_answers(address),
        "duties": [*_duties(shipment)],
        "percent_range": percent_range,
        "of_origin": dict.fromkeys(OF_ORIGIN),
        "rules_of_origin": rules_of_origin,
        "bars": bars,
        "obligations": [*map(with_act, shipment["furtherObligations"])],
        "coming": days_of_changes(coming),
        "change_days": [*change_days(bars), *(one.day for one in coming)],
        "dates": [*dict.fromkeys(one.day for one in coming)][:MAX_DATES],
        "watch": watched_issuers(shipment["newestActs"], _issuers(shipment), day),
        "sources": sorted(
            {publisher_of(one) for rule in _rules(shipment) for one in rule["sources"]}
        ),
        **_chart(bars, title, state["position"], [one.text for one in sentences]),
    }


def limits(shipment: Mapping[str, Any]) -> list[str]:
    """Return the assumptions, and the completeness of the lists of each place of a shipment."""
    assumed = [f"Assumed: {text}" for text in shipment["assumptions"]]
    return [*assumed, *legs_in_words(shipment["legs"]), NO_RULE, DISCLAIMER]


def legs_in_words(legs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the completeness of the lists of each place of a shipment."""
    return [
        f"{'Import into' if leg['direction'] == 'IMPORT' else 'Export from'} {leg['place']['name']}:"
        f" {leg['completeness']['statement']}"
        for leg in legs
    ] or ["Completeness is not stated, because the shipment states no places."]


def _of_possible_rules(
    questions: Sequence[AskedQuestion], shipment: Mapping[str, Any]
) -> list[AskedQuestion]:
    """Return the questions that settle possible rules, without those on exceptions."""
    rules = [one["clause"] for one in shipment["verdicts"] if one["match"] == "POSSIBLE"]
    keys, exceptions = (
        set(map(key_of, rules)),
        {text for one in rules for text in one["exceptions"]},
    )
    return [one for one in questions if one.keys & keys and one.text not in exceptions]


def _rules(shipment: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (one["clause"] for one in shipment["verdicts"] if one["clause"])
    yield from shipment["notInForce"]


def _duties(shipment: Mapping[str, Any]) -> Iterator[Duties]:
    for trade in ("export", "import"):
        total = shipment[f"{trade}Duties"]
        if total["lines"] or total["steps"]:
            yield Duties(trade, total)


def _issuers(shipment: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the issuers on the way, whose newest acts are listed."""
    names = {one["control"]["issuer"]["code"]: one["control"]["issuer"] for one in _rules(shipment)}
    names |= {leg["place"]["code"]: leg["place"] for leg in shipment["legs"]}
    for one in shipment["newestActs"]:
        yield names.get(one["issuer"], {"code": one["issuer"], "name": name_of(one["issuer"])})


def _firms(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield firms for suggestions: those on the lists of the rules, then all identified ones."""
    if shipment := state.get("shipment"):
        for rule in _rules(shipment):
            yield from rule["clause"]["entities"]
    yield from (one["name"] for one in state["firms"]["nodes"])


def _chart(bars: StatusTable, title: str, position: str, notes: list[str]) -> dict[str, Any]:
    if not bars.rows:
        return {}
    return {"charts": {CHART: status_image(bars, title, position, (*notes, DISCLAIMER))}}


PAGE = Page(
    __name__,
    "/check",
    view,
    section="/check",
    table=TableOfPage("shipment-rules", needs_some=frozenset({"commodity", "hsCode"})),
    aliases=SHORT_NAMES,
    made={"checked": lambda address: bool(address.query)},
    without_codes=frozenset({"exporter", "importer", "endUser"}),
    follows_check=True,
    form_needs=("commodity", GOODS),
)
