"""`/commodities/{key}`: producers, output over the years, and the controls on a commodity. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from schema.metadata import linked_data
from schema.pages.charts.line_chart import LineChart, page_drawings
from schema.pages.charts.status_marks import doubts
from schema.pages.charts.world_map import SHARES, WorldMap
from schema.pages.commodities.answers import answer_lines, clause_answers
from schema.pages.commodities.clauses import Clauses, clauses_on, counted, names_goods, pairs_of
from schema.pages.commodities.exposed import ExposureRow, exposure_rows
from schema.pages.commodities.exposure_bar import PARTS
from schema.pages.commodities.producers import producer_rows, producers_map
from schema.pages.commodities.years import (
    chart_measure,
    chosen_series,
    edition_rows,
    first_drawn_year,
    series_links,
    years_chart,
)
from schema.pages.dependence.alternatives import PROCESSED_STAGES, is_about_processed_goods
from schema.pages.dependence.exposure_lists import PARTS as IMPORT_PARTS
from schema.pages.dependence.exposure_lists import bounds_sentence, exposure_lists
from schema.pages.dependence.reliance import reliance_sentences
from schema.pages.site.address import Address, path_of
from schema.pages.site.amounts import amount, measured, unit
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.images import CHART, Image, line_image, status_image, world_image
from schema.pages.site.naming import as_of_words, kind_of_figure, product
from schema.pages.site.page import Page, TableOfPage
from schema.pages.site.watch_words import watched_issuers
from schema.pages.site.words import publisher_of
from tracker.domain.basics.control_vocabulary import UNCONFIRMED, ClauseStatus
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.wording import phrases

UNCONFIRMED_WORDS = {one.name: one.plural for one in UNCONFIRMED}
"""Words for statuses that are not confirmed."""


FILES = (Statistic.PRODUCTION, Statistic.RESERVES, Statistic.NET_IMPORT_RELIANCE)
"""Statistics with a file of all years each; that of all claims has every statistic."""
MAX_LISTS = 30
"""Maximum number of lists of origins on the page; that of dependence has all."""
MAX_SENTENCES = 3
"""Maximum number of products in the sentences on dependence; its page has all."""
MAIN_STAGES = ("MINE", "REFINERY")
"""The stages that readers expect; a page names the one without figures."""
CHOICES = frozenset({"toward", "year", "stage", "form", "importer", "series"})
"""Parameters that choose figures, not clauses."""


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the producers, the years, the clauses and the exposure of a commodity."""
    state = data["asOf"]
    key = address.parameters["key"]
    commodity = next(one for one in data["commodities"] if one["key"] == key)
    below = [one for one in data["commodities"] if one["parentKey"] == key]
    shown = state["production"]
    clauses = clauses_on(state, address)
    exposure = exposure_rows(state)
    lead = [*supply_sentences(shown), *control_sentences(clauses, exposure)]
    years = sorted(one["year"] for one in state["years"])
    codes = chosen_series(state, address.parameters.get("series"))
    drawn = years_chart(
        state, commodity["name"], attribution(state), _links(address, "figures"), codes
    )
    makers = producers_map(shown["figures"], _links(address, "places"))
    return {
        "title": commodity["name"],
        "description": " ".join(lead),
        "change_days": [
            one["day"] for one in state["transitionDays"] for _ in range(one["transitions"])
        ],
        "chart_sources": _sources(state),
        "commodity": commodity,
        "subject": linked_data.commodity(commodity),
        "below": below,
        "lead": lead,
        **answers_of(state, commodity, lead),
        "shown": shown,
        "amount": amount,
        "measured": measured,
        "shares": SHARES,
        "kind": kind_of_figure("PRODUCTION", shown["stage"]),
        "measure": measure_words(chart_measure(shown)),
        "keys": {"controls": counted(clauses), "exposure": next(iter(exposure), None)},
        "producers": producer_rows(
            shown["figures"], chart_measure(shown), "asOf.production.figures"
        ),
        "map": makers,
        "years": years,
        "not_drawn": [year for year in years if drawn and year < first_drawn_year(state)],
        "products": products(state, address),
        "editions": edition_rows(state),
        "lines": page_drawings(drawn) if drawn else [],
        "series": series_links(state, codes, address),
        "finding": finding(shown),
        "charts": dict(charts(state, commodity["name"], clauses, drawn, makers)),
        **reserves_of(state["reserves"]),
        "clauses": clauses,
        "exposure": exposure,
        "exposure_parts": PARTS,
        **dependence(state),
        "watched": watched_issuers(
            state["horizon"],
            [edge["node"]["issuer"] for edge in state["exportControls"]["edges"]],
            date.fromisoformat(state["validAt"]),
        ),
    }


def reserves_of(reserves: Mapping[str, Any]) -> dict[str, Any]:
    """Return the reserves by place, the largest first, and their unit."""
    measure = chart_measure(reserves)
    rows = producer_rows(reserves["figures"], measure, "asOf.reserves.figures")
    return {
        "reserves": reserves,
        "reserve_rows": sorted(rows, key=lambda row: -Decimal(row.figure["value"] or -1)),
        "reserve_measure": measure_words(measure),
    }


def charts(
    state: Mapping[str, Any], name: str, clauses: Clauses, lines: LineChart | None, makers: WorldMap
) -> Iterator[tuple[str, Image]]:
    """Yield the charts as images by part: the years first, then the producers and the clauses."""
    if lines:
        yield CHART, line_image(lines)
    shown = state["production"]
    if shown["figures"]:
        title = finding(shown) or f"{name}: producers, {shown['year']}"
        yield (
            "producers",
            world_image(makers, title, SHARES, "share not known", state, name="Producers"),
        )
    if clauses.current and clauses.current.rows:
        listed = "" if clauses.listed_all else "at least "
        unconfirmed = doubts(clauses.confirmations)
        title = f"{name}: {listed}{phrases.many(clauses.in_force, 'clause')} in force"
        title += f", of these {unconfirmed}" if unconfirmed else ""
        yield "clauses", status_image(clauses.current, title, state["position"], name="Clauses")


def answers_of(
    state: Mapping[str, Any], commodity: Mapping[str, Any], lead: Sequence[str]
) -> dict[str, Any]:
    """Return the answer box, also for other sites."""
    producers = [one["place"]["code"] for one in state["production"]["figures"]]
    answers, more_answers = clause_answers(pairs_of(state), producers)
    cited = {publisher_of(one.source) for one in answers if one.source}
    return {
        "sources": sorted(cited.union(_sources(state))),
        "answers": answers,
        "more_answers": more_answers,
        "answer_lines": answer_lines(answers, lead, commodity["name"]),
    }


def dependence(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the lists of origins of imports with their bounds, and the answer in sentences."""
    lists = exposure_lists(state["importExposure"]["lists"])
    return {
        "dependence": lists,
        "max_lists": MAX_LISTS,
        "dependence_parts": IMPORT_PARTS,
        "dependence_sentences": [
            *(bounds_sentence(one) for one in lists[:MAX_SENTENCES]),
            *reliance_sentences(state["reliance"]["lines"][:MAX_SENTENCES]),
        ],
    }


def supply_sentences(shown: Mapping[str, Any]) -> list[str]:
    """Return the largest producer with its source, or other known facts; then the publishers of the
    figures."""
    of = shown["figuresOf"]
    filed = of and of["key"] != shown["commodity"]["key"]
    sentences = [*output_sentences(shown), *stage_sentences(shown)]
    return (
        [*sentences, f"Publishers file these figures under {of['name']}."] if filed else sentences
    )


def stage_sentences(shown: Mapping[str, Any]) -> list[str]:
    """Name the stages with figures, where mining or refining has none."""
    key = shown["commodity"]["key"]
    stages = {one["stage"] for one in shown["available"] if one["commodity"]["key"] == key}
    recorded = sorted(phrases.word_phrase(stage) for stage in stages if stage)
    missing = [phrases.word_phrase(stage) for stage in MAIN_STAGES if stage not in stages]
    if not recorded or len(missing) != 1:
        return []
    return [
        f"No figures for {missing[0]} production are recorded."
        f" Figures exist for {phrases.listed(recorded)} production."
    ]


def finding(shown: Mapping[str, Any]) -> str:
    """Return the largest producer with its share as a title; empty if no share is known."""
    first = shown["figures"][0] if shown["figures"] else None
    if not (first and first["share"] and shown["world"]):
        return ""
    goods = product((shown["figuresOf"] or shown["commodity"])["name"], shown["form"])
    estimated = first["estimated"] or shown["world"]["estimated"]
    return (
        f"{phrases.with_capital(phrases.with_article(first['place']['name']))}"
        f" {Stage[shown['stage']].verb if shown['stage'] else 'produced'}"
        f" {phrases.percent_beside(first['share'], (one['share'] for one in shown['figures'][1:]))}"
        f" of the world’s {phrases.in_running_text(goods)} in {shown['year']}"
        f"{' (estimated)' if estimated else ''}"
    )


def output_sentences(shown: Mapping[str, Any]) -> list[str]:
    """Return the largest producer with its source, or other known facts."""
    figures, world, year = shown["figures"], shown["world"], shown["year"]
    first = figures[0] if figures else None
    if first and first["share"] and world:
        verb = Stage[shown["stage"]].verb if shown["stage"] else "produced"
        predicate = "estimates" if first["estimated"] or world["estimated"] else "says"
        mixed = " (claims of several editions)" if first["mixedEditions"] else ""
        share = phrases.percent_beside(first["share"], (one["share"] for one in figures[1:]))
        return [
            f"{phrases.with_capital(phrases.with_article(first['place']['name']))} {verb}"
            f" {share} of the world’s output of {year},"
            f" as {phrases.authority_phrase(world['source']['publisher'])} {predicate}{mixed}."
        ]
    if world:
        return [
            f"The world’s output of {year}: {measured(world)}, by"
            f" {phrases.authority_phrase(world['source']['publisher'])}. No share of a place is known."
        ]
    if figures:
        return [f"There is no number for the world’s output of {year}, so no shares."]
    if shown["available"]:
        return ["No output is shown: choose one of the products with figures."]
    return ["No figures of its output are recorded."]


def control_sentences(clauses: Clauses, exposure: list[ExposureRow]) -> list[str]:
    """Return the number of clauses in force on it, and their share of the output."""
    if not clauses.in_force:
        return ["No recorded clause in force covers it."]
    covers = "covers" if clauses.in_force == 1 else "cover"
    sentences = [f"{phrases.many(clauses.in_force, 'clause')} in force {covers} it."]
    row = next(iter(exposure), None)
    if row is None:
        sentences.append("The share of its output under export controls is not known.")
    elif row.wholly is not None:
        wholly = phrases.percent_beside(row.wholly, [row.partly])
        sentences.append(
            f"Controls for every destination cover {wholly} of this output fully and"
            f" {phrases.percent(row.partly or 0)} partly."
        )
    return sentences + unconfirmed_sentences(clauses, row)


def unconfirmed_sentences(clauses: Clauses, row: ExposureRow | None) -> list[str]:
    """Return the clauses in force that are not confirmed, and the share that rests on these alone."""
    counts = [
        f"{clauses.confirmations[confirmation]:,} {meaning}"
        for confirmation, meaning in UNCONFIRMED_WORDS.items()
        if clauses.confirmations.get(confirmation) and confirmation != "AS_RECORDED"
    ]
    sentences = [f"Not confirmed: {phrases.listed(counts)}."] if counts else []
    if before := clauses.confirmations.get("AS_RECORDED"):
        clauses_before = phrases.many(before, "clause")
        sentences.append(f"No record of this date or later confirms {clauses_before}.")
    shares = [
        f"{phrases.percent(share)} {meaning}"
        for share, meaning in zip(
            (row.assumed, row.contradicted) if row else (), UNCONFIRMED_WORDS.values(), strict=False
        )
        if share and float(share) > 0
    ]
    return (
        [*sentences, f"Share of the output that rests on these alone: {phrases.listed(shares)}."]
        if shares
        else sentences
    )


def products(state: Mapping[str, Any], address: Address) -> list[tuple[str, str, bool]]:
    """Return the products of this commodity, and of those below it, that have figures.

    Each has its name, link, and whether it is selected. The list is empty if there is no choice. Processed
    goods are first if the controls are about them.
    """
    shown = state["production"]
    key = shown["commodity"]["key"]
    clauses = [
        one
        for _, one in pairs_of(state)
        if names_goods(one) and not ClauseStatus[one["status"]].has_ended
    ]
    processed_first = is_about_processed_goods(clauses)
    choices = []
    for one in sorted(
        shown["available"], key=lambda one: processed_first and one["stage"] not in PROCESSED_STAGES
    ):
        of = one["commodity"]["key"]
        name = product("" if of == key else one["commodity"]["name"], one["form"])
        label = ", ".join(
            part for part in (name.removeprefix(", "), phrases.word_phrase(one["stage"])) if part
        )
        link = address.link(path_of("commodities", of), stage=one["stage"], form=one["form"])
        is_shown = (of, one["stage"], one["form"]) == (key, shown["stage"], shown["form"])
        choices.append((label, link, is_shown))
    return choices if len(choices) > 1 or not any(one[2] for one in choices) else []


def measure_words(claim: Mapping[str, Any] | None) -> str:
    """Return the unit and basis of a table of numbers."""
    return unit(claim) if claim else ""


def attribution(state: Mapping[str, Any]) -> str:
    """Return the publishers and the date of the numbers in a chart."""
    return "; ".join([phrases.listed(_sources(state)) or "No publisher", as_of_words(state)])


def _sources(state: Mapping[str, Any]) -> list[str]:
    claims = [claim for figure in state["worldFigures"]["nodes"] for claim in figure["claims"]]
    claims += [one["world"] for one in (state["production"], state["reserves"]) if one["world"]]
    return sorted({publisher_of(claim["source"]) for claim in claims})


def _links(address: Address, room: str) -> Callable[[str], str]:
    """Return the function from a key to the address of its page."""
    return lambda key: address.link(path_of(room, key))


PAGE = Page(
    __name__,
    "/commodities/{key}",
    view,
    section="/commodities",
    feed=FeedOfPage(commodity="key", calendar=True, ignored=CHOICES),
    without_codes=frozenset({"form"}),
    texts=frozenset({"series"}),
    table=TableOfPage(
        "production",
        renamed={"key": "commodity"},
        without=frozenset({"toward", "importer", "series"}),
    ),
    more_tables=(
        *(
            TableOfPage(
                "claims",
                renamed={"key": "commodity"},
                without=CHOICES,
                label=f"{phrases.with_capital(of.phrase)}, all years and editions",
                fixed={"statistic": of.name},
            )
            for of in FILES
        ),
        *(
            TableOfPage(name, renamed={"key": "commodity"}, without=CHOICES)
            for name in ("claims", "clauses", "upcoming")
        ),
    ),
)
