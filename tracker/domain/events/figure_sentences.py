"""Sentences and names of figures and trade flows, which need no names of other entities. Pure."""

from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.figure_facts import Claimed, Preferred
from tracker.domain.figures.tariff import LineFact, LineWithdrawn, PrintedLine, dotted, tariff_name
from tracker.domain.figures.tariff_edition import EditionRead
from tracker.domain.figures.trade_flow import FlowClaimed, flow_name
from tracker.domain.wording.phrases import (
    beginning,
    figure_phrase,
    listed,
    many,
    publisher_phrase,
    quantity_phrase,
    word_phrase,
)


def flow_sentence(entity: str, fact: FlowClaimed) -> str:
    """Return the sentence of a claim on a trade flow."""
    version = f", {fact.edition_version}" if fact.edition_version else ""
    origins = listed(place.name for place in fact.origins.places)
    return (
        f"{flow_name(entity)}: {quantity_phrase(fact.value)} from {origins}, by"
        f" {publisher_phrase(fact.source.publisher)} ({fact.edition}{version})"
    )


def figure_sentence(entity: str, fact: Claimed | Preferred) -> str:
    """Return the sentence of a claim on a figure, or of a judgement between claims."""
    if isinstance(fact, Claimed):
        version = f", {fact.edition_version}" if fact.edition_version else ""
        return (
            f"{figure_name(entity)}: {_figure_content(fact)}, by"
            f" {publisher_phrase(fact.source.publisher)} ({fact.edition}{version})"
        )
    edition = f" ({fact.edition})" if fact.edition else ""
    return (
        f"{figure_name(entity)}: preferred is {publisher_phrase(fact.publisher)}{edition},"
        f" for this reason: {beginning(fact.reason)}"
    )


def _figure_content(fact: Claimed) -> str:
    """Return the number of a claim, or the origins of a list with their parts."""
    if fact.origins is None:
        return quantity_phrase(fact.quantity)
    return listed(
        part.place.name + (f" {quantity_phrase(part.quantity)}" if part.quantity else "")
        for part in fact.origins.parts
    )


def figure_name(entity: str) -> str:
    """Return a figure by its name in the log: `Rare earths, mine production, China, 2023`."""
    _, commodity, code, name, *rest = entity.split("/")
    statistic = Statistic(name)
    stage = Stage(rest.pop(0)) if statistic.has_stage else None
    year = rest.pop() if statistic.has_period else ""
    form = f" ({word_phrase(rest[0])})" if rest else ""
    parts = [
        Commodity(commodity).name,
        f"{figure_phrase(statistic, stage)}{form}",
        Place(code).name,
    ]
    return ", ".join([*parts, *([year] if year else [])])


def tariff_sentence(entity: str, fact: EditionRead | LineFact) -> str:
    """Return the sentence of a fact about a tariff."""
    name = tariff_name(entity)
    match fact:
        case EditionRead():
            read = many(len(fact.chapters), "chapter or heading", "chapters and headings", " ")
            return f"{fact.title} is read: {read}"
        case LineWithdrawn():
            codes = listed(map(dotted, fact.successors))
            return f"{name} is not printed in {fact.edition}" + (f"; new: {codes}" if codes else "")
        case PrintedLine(general=general, column2=column2):
            rates = f"general {general or 'blank'}, column 2 {column2 or 'blank'}"
            return f"{name}, {fact.texts[-1].rstrip(':')}: {rates} ({fact.edition})"
    return name
