"""The statuses of the rules for a shipment over time. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from schema.pages.charts.scale import window_around
from schema.pages.charts.status_bars import RowOfPeriods, StatusTable, draw_status_table, track_of
from schema.pages.site.address import Address, path_of
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
