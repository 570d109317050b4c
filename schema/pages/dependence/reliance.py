"""Net import reliance over years and editions: sentences, a chart and a table. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from schema.pages.charts.line_chart import SERIES, Line, LineChart, YearMark, change_in_words
from schema.pages.dependence.exposure_lists import product_name
from schema.pages.site.amounts import EXACT_QUALIFIERS, amount
from schema.pages.site.naming import edition_of
from schema.pages.site.words import publisher_of
from tracker.domain.wording.phrases import NBSP, place_in_text, rounded

YearlyLine = Mapping[str, Any]
LinkTo = Callable[[str], str]
"""A function from the key of a figure to the address of its page."""


class RelianceRow(Struct, frozen=True):
    """A claim of one edition for a year."""

    name: str
    year: int
    path: str
    """Path of the claim in the response."""
    claim: Mapping[str, Any]
    words: str
    edition: str
    in_use: bool
    basis_changed: bool
    """Whether the basis differs from that of the previous year."""


def line_name(line: YearlyLine) -> str:
    """Return the product of a line."""
    return product_name(line["commodity"]["name"], line["form"])


def reliance_in_words(claim: Mapping[str, Any]) -> str:
    """Return a claim with its unit, and without its basis: `more than 50 %`, `net exporter`."""
    return amount(claim) if claim["value"] is None else f"{amount(claim)}{NBSP}%"


def reliance_sentences(lines: Sequence[YearlyLine]) -> list[str]:
    """Return the latest claim of each line in words; a line without one has none."""
    return [_sentence(line, point) for line in lines if (point := latest_point(line))]


def _sentence(line: YearlyLine, point: Mapping[str, Any]) -> str:
    claim, where = point["claim"], place_in_text(line["place"]["code"])
    source = f"{publisher_of(claim['source'])}, {edition_of(claim)}"
    if claim["qualifier"] == "NET_EXPORTER":
        return f"{line_name(line)}: {where} was a net exporter in {point['year']} ({source})."
    consumption = claim["basis"] or "consumption"
    return (
        f"{line_name(line)}: net imports of {where} were {reliance_in_words(claim)} of"
        f" {consumption} in {point['year']} ({source})."
    )


def latest_point(line: YearlyLine) -> Mapping[str, Any] | None:
    """Return the last year with a number, or with a net exporter."""
    known = [point for point in line["points"] if is_reliance(point["claim"])]
    return known[-1] if known else None


def is_reliance(claim: Mapping[str, Any]) -> bool:
    """Return whether a claim states a number, or a net exporter."""
    return claim["value"] is not None or claim["qualifier"] == "NET_EXPORTER"


def reliance_rows(lines: Sequence[YearlyLine]) -> list[RelianceRow]:
    """Return all editions' claims: by product, the newest year first, then the newest edition."""
    return [
        RelianceRow(
            line_name(line),
            point["year"],
            f"asOf.reliance.lines.{number}.points.{index}.editions.{place}",
            claim,
            reliance_in_words(claim),
            edition_of(claim),
            claim["position"] == point["claim"]["position"],
            point["basisChanged"] and claim["position"] == point["claim"]["position"],
        )
        for number, line in enumerate(lines)
        for index, point in reversed(list(enumerate(line["points"])))
        for place, claim in reversed(list(enumerate(point["editions"])))
    ]


def reliance_charts(
    lines: Sequence[YearlyLine], importer: Mapping[str, Any], source: str, link: LinkTo
) -> list[LineChart]:
    """Return the chart of reliance; a change of basis breaks a line. Without a number there is none."""
    drawn = [
        Line(line_name(line), marks, colour)
        for line, colour in zip(lines, ("ink", *SERIES), strict=False)
        for marks in [list(_marks(line, link))]
        if any(mark.in_use for mark in marks)
    ]
    if not drawn:
        return []
    title = f"{drawn[0].name}: net import reliance of {place_in_text(importer['code'])}"
    title += f" {change_in_words(drawn[0].marks, '%')}".rstrip()
    words = "; ".join(
        f"{line.name}: "
        + ", ".join(f"{mark.year} {rounded(mark.value)}" for mark in line.marks if mark.in_use)
        for line in drawn
    )
    return [
        LineChart(title, f"In percent of consumption. {words}.", source, "% of consumption", drawn)
    ]


def _marks(line: YearlyLine, link: LinkTo) -> Iterator[YearMark]:
    for point in line["points"]:
        for claim in point["editions"]:
            in_use = claim["position"] == point["claim"]["position"]
            if claim["value"] is None or claim["qualifier"] not in EXACT_QUALIFIERS:
                continue
            if not in_use and claim["value"] == point["claim"]["value"]:
                continue
            note = "" if in_use else ", an earlier edition"
            yield YearMark(
                point["year"],
                Decimal(claim["value"]),
                f"{line_name(line)}, {point['year']}: {reliance_in_words(claim)} of"
                f" {claim['basis'] or 'consumption'}, {claim['edition']}{note}",
                link(claim["figure"]),
                in_use,
                claim["publisher"],
                breaks=point["basisChanged"],
            )
