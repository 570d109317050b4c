"""`/figures/{key}`: every claim on one figure, the preferred one with its reason, and their spread.
Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from schema.pages.charts.claims_line import ClaimMark, ClaimState, DrawnClaim, claims_line
from schema.pages.figures.claims_image import claims_image
from schema.pages.site.address import Address
from schema.pages.site.amounts import amount, measured, number_of, same_measure, unit
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.images import CHART
from schema.pages.site.naming import as_of_words, edition_of, series_title
from schema.pages.site.page import Page, entity_of
from schema.pages.site.words import publisher_of
from tracker.domain.basics.vocabulary import Checked, Statistic
from tracker.domain.wording.phrases import NBSP, listed, rounded
from tracker.errors import NotFound

MINUS = "\N{MINUS SIGN}"


class ClaimRow(Struct, frozen=True):
    """A claim with the remarks beside its number."""

    index: int
    """Index among the claims of the response."""
    claim: Mapping[str, Any]
    publisher: str
    edition: str
    checked: str
    amount: str
    unit: str
    state: ClaimState
    reason: str | None
    """Reason why it cannot be compared, in the words of the API."""
    mark: ClaimMark

    @property
    def name(self) -> str:
        """Return the publisher and edition."""
        return f"{self.publisher}, {self.edition}"


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the claims as rows with their drawing, and sentences about them. Raises NotFound."""
    figure = data["asOf"]["figure"]
    if figure is None:
        key = address.parameters["key"]
        raise NotFound(f"no figure {key!r} with a claim at this moment", path=("key",))
    rows, line = claim_rows(figure)
    in_use = next((row for row in rows if row.state is ClaimState.IN_USE), rows[0])
    title = series_title(figure["series"])
    return {
        "title": title,
        "description": f"{measured(in_use.claim)}, by {in_use.name}.",
        "change_days": [node["day"] for node in data["asOf"]["transitions"]["nodes"]],
        "sources": sorted({publisher_of(row.claim["source"]) for row in rows}),
        "figure": figure,
        "rows": rows,
        "line": line,
        "in_use": in_use,
        "unit": unit(in_use.claim),
        "charts": {
            CHART: claims_image(
                title, attribution(data["asOf"], rows), unit(in_use.claim), rows, line
            )
        },
        "why": [*choice_sentences(figure, rows, in_use), *other_sentences(figure, rows, in_use)],
        "apart": how_far_apart(figure, rows),
        "remarked": [row for row in rows if has_remark(row.claim)],
        "years": other_years(data["asOf"]["otherYears"]["nodes"], figure),
    }


def attribution(moment: Mapping[str, Any], rows: Sequence[ClaimRow]) -> str:
    """Return the publishers and the date of the claims, for an image outside of its page."""
    publishers = listed(list(dict.fromkeys(row.publisher for row in rows)))
    return f"{publishers}; {as_of_words(moment)}"


def claim_rows(figure: Mapping[str, Any]) -> tuple[list[ClaimRow], Any]:
    """Return the rows of a figure in the order of its claims, and their common scale."""
    claims = figure["claims"]
    in_use = next((claim for claim in claims if claim["preferred"]), claims[0])
    reasons = {
        left_out["claim"]["position"]: left_out["reason"]
        for left_out in figure["sideBySide"]["notComparable"]
    }
    before = {revision["position"]: revision["before"] for revision in figure["revisions"]}
    states = [_state(claim, in_use, reasons) for claim in claims]
    line = claims_line(
        [
            _drawn(state, claim, in_use, before.get(claim["position"]))
            for state, claim in zip(states, claims, strict=True)
        ]
    )
    return [
        ClaimRow(
            index,
            claim,
            publisher_of(claim["source"]),
            edition_of(claim),
            Checked[claim["source"]["checked"]].phrase,
            amount(claim),
            "" if claim["value"] is None else unit(claim),
            state,
            reasons.get(claim["position"]),
            mark,
        )
        for index, (claim, state, mark) in enumerate(zip(claims, states, line.marks, strict=True))
    ], line


def _state(
    claim: Mapping[str, Any], in_use: Mapping[str, Any], reasons: Mapping[str, str]
) -> ClaimState:
    if claim is in_use:
        return ClaimState.IN_USE
    if not claim["latest"]:
        return ClaimState.RESTATED
    if claim["value"] is None:
        return ClaimState.NO_NUMBER
    return ClaimState.NOT_COMPARABLE if claim["position"] in reasons else ClaimState.BESIDE


def _drawn(
    state: ClaimState,
    claim: Mapping[str, Any],
    in_use: Mapping[str, Any],
    before: Mapping[str, Any] | None,
) -> DrawnClaim:
    """Return a claim for the drawing, with a number only if it has the unit of the preferred claim."""
    if claim["unit"] != in_use["unit"]:
        return DrawnClaim(state, None)
    earlier = before["value"] if before and before["unit"] == claim["unit"] else None
    return DrawnClaim(
        state,
        number_of(claim),
        Decimal(claim["upper"]) if claim["upper"] else None,
        Decimal(earlier) if earlier else None,
    )


def choice_sentences(
    figure: Mapping[str, Any], rows: Sequence[ClaimRow], in_use: ClaimRow
) -> list[str]:
    """Return the reasons why this claim is preferred."""
    choice = figure["choice"]
    reason = f": {choice['reason']}" if choice and choice["reason"] else ""
    if choice and choice["rule"] == "JUDGEMENT":
        return [_ended(f"In use by a recorded judgement on this figure{reason}")]
    if choice and choice["rule"] == "ORDER":
        return [_ended(f"In use by a recorded order of publishers{reason}")]
    if len({row.publisher for row in rows}) == 1:
        edition = "its latest edition" if len(rows) > 1 else "its only edition"
        only = f"In use because no claim of another publisher is recorded; this is {edition}."
        return (
            [only, "Read the remark below: it may name other numbers."]
            if in_use.claim["note"]
            else [only]
        )
    return [
        f"In use because {in_use.publisher} was the first to publish on this figure and this is its"
        " latest edition; no judgement is recorded."
    ]


def other_sentences(
    figure: Mapping[str, Any], rows: Sequence[ClaimRow], in_use: ClaimRow
) -> list[str]:
    """Return the claims of the previous edition and of other publishers, in sentences."""
    sentences = []
    earlier = [
        row
        for row in rows
        if row.state is ClaimState.RESTATED and row.publisher == in_use.publisher
    ]
    if earlier:
        last = earlier[-1]
        same = (last.claim["value"], last.unit) == (in_use.claim["value"], in_use.unit)
        value = "the same" if same and last.amount == in_use.amount else measured(last.claim)
        sentences.append(f"Its previous edition, {last.edition}, stated {value}.")
    for row in sorted(rows, key=lambda row: row.state is not ClaimState.BESIDE):
        if row.state is ClaimState.BESIDE:
            same = number_of(row.claim) == number_of(in_use.claim)
            alike = same and same_measure(row.claim, in_use.claim)
            predicate = "says the same" if alike else f"says {measured(row.claim)}"
            sentences.append(f"{row.publisher} {predicate}.")
        elif row.state in (ClaimState.NOT_COMPARABLE, ClaimState.NO_NUMBER):
            sentences.append(f"{row.publisher} says {measured(row.claim)}: not comparable.")
    return sentences


def how_far_apart(figure: Mapping[str, Any], rows: Sequence[ClaimRow]) -> list[tuple[str, str]]:
    """Return names and sentences: compared claims, spread, claims left out, and changes."""
    named = {row.claim["position"]: row for row in rows}
    facts = []
    spread = figure["sideBySide"]["spread"]
    if spread:
        compared = [named[claim["position"]].name for claim in spread["claims"]]
        facts.append(("Compared", "; ".join(compared)))
        facts.append(("Spread", _spread(spread)))
        facts += [("Taken as the same", reason) for reason in spread["equivalences"]]
    else:
        facts.append(("Compared", "nothing: no two latest claims are comparable"))
    facts += [
        ("Left out", f"{named[one['claim']['position']].name}: {one['reason']}")
        for one in figure["sideBySide"]["notComparable"]
        if len({row.publisher for row in rows}) > 1
    ]
    restated = [
        f"{named[one['position']].name}: {_change(one, named)}"
        for one in figure["revisions"]
        if one["before"]
    ]
    facts += [("Restated", sentence) for sentence in restated]
    return facts


def _spread(spread: Mapping[str, Any]) -> str:
    measure = unit(spread)
    if Decimal(spread["absolute"]) == 0:
        return f"none: all say {rounded(spread['minimum'])}{NBSP}{measure}"
    bounds = (
        f"{rounded(spread['minimum'])} to {rounded(spread['maximum'])}{NBSP}{measure},"
        f" {rounded(spread['absolute'])} apart"
    )
    relative = spread["relative"]
    return f"{bounds} ({Decimal(relative) * 100:.1f}{NBSP}% of the smaller)" if relative else bounds


def _change(revision: Mapping[str, Any], named: Mapping[str, ClaimRow]) -> str:
    """Return the difference of a claim from that of the previous edition."""
    now, before = named[revision["position"]], named[revision["before"]["position"]]
    if (now.amount, now.unit) == (before.amount, before.unit):
        return "no change"
    if revision["change"] is None:
        return str(revision["changeUnavailableReason"] or "not comparable with the previous one")
    change = Decimal(revision["change"])
    sign = "+" if change > 0 else MINUS
    percent = revision["changePercent"]
    difference = f"{sign}{rounded(abs(change))}"
    return (
        f"{difference} ({sign}{rounded(abs(Decimal(percent)))}{NBSP}%)" if percent else difference
    )


def has_remark(claim: Mapping[str, Any]) -> bool:
    """Return whether a claim has a remark in words, also a redacted one."""
    return bool(claim["note"] or claim["quotation"] or claim["redactions"])


def other_years(figures: Sequence[Any], figure: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """Return the figures of the same series in all years, each with its number in words."""
    series = figure["series"]
    same = [
        one
        for one in figures
        if one["series"]["commodity"]["key"] == series["commodity"]["key"]
        and (one["series"]["stage"], one["series"]["form"]) == (series["stage"], series["form"])
    ]
    return [(one, amount(one["preferred"])) for one in same] if len(same) > 1 else []


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _parts(parameters: Mapping[str, str]) -> tuple[str, str, str]:
    """Return commodity, place and statistic of a key, COMMODITY/PLACE/STATISTIC/….

    Missing parts get placeholders, since no figure has such a key.
    """
    commodity, place, statistic, *_ = [*parameters["key"].split("/"), "", ""]
    word = statistic.upper()
    return commodity, place or "WORLD", word if word in Statistic.__members__ else "PRODUCTION"


PAGE = Page(
    __name__,
    "/figures/{key:path}",
    view,
    section="/figures",
    made={
        "entity": entity_of("figure"),
        "commodity": lambda address: _parts(address.parameters)[0],
        "place": lambda address: _parts(address.parameters)[1],
        "statistic": lambda address: _parts(address.parameters)[2],
    },
    feed=FeedOfPage(entity=entity_of("figure")),
)
