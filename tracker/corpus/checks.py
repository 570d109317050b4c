"""Checks of a corpus beyond the format of its acts: order, rules, links, repetitions."""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

from msgspec import structs

from tracker.commands.decisions import decide_all
from tracker.corpus.files import ANNOUNCEMENT, Act, Problem
from tracker.domain.actors.alliance import Founded, Succeeded
from tracker.domain.actors.announcement import Made, Superseded
from tracker.domain.basics.vocabulary import Checked
from tracker.domain.catalogue.commodities import ancestors
from tracker.domain.catalogue.publishers import publishers, publishers_at
from tracker.domain.controls.export_control_acts import Amended, Announced, Merged
from tracker.domain.entities.entity import INITIAL_FACTS, TYPES
from tracker.domain.entities.fact import READ, Source
from tracker.domain.entities.provenance import Issuers, cite, issuers_of
from tracker.domain.events.registry import entity_type
from tracker.domain.evidence.coverage import Declared
from tracker.watch.settings import SHIPPED


def find_problems(acts: Sequence[Act]) -> list[Problem]:
    """Return all problems among acts that are valid facts individually."""
    return [problem for check in CHECKS for problem in check(acts)]


def check_order(acts: Sequence[Act]) -> Iterator[Problem]:
    """Check that the acts of a file are in the order of their days."""
    for _, group in groupby(acts, key=lambda act: act.file):
        for before, act in pairwise(group):
            if act.planned.fact.public_on < before.planned.fact.public_on:
                yield _problem(
                    act, f"expected acts in the order of their days: {before.id} is later"
                )


def check_ids(acts: Sequence[Act]) -> Iterator[Problem]:
    """Check that ids are unique."""
    yield from _find_repeated(
        acts, lambda act: act.id, "expected an id of its own: {} has it", "id"
    )


def check_repetitions(acts: Sequence[Act]) -> Iterator[Problem]:
    """Check that no act is repeated: further sources of an act belong in its `moreSources`."""
    yield from _find_repeated(
        acts,
        _content,
        "tells what {} tells: expected one act, with the other source in moreSources",
    )


def check_rules(acts: Sequence[Act]) -> Iterator[Problem]:
    """Check the rules of the domain by recording the acts in order."""
    events = [act.planned for act in acts]
    entities = {
        planned.stream: entity_type(planned.stream).empty(planned.stream) for planned in events
    }
    alliances = [stream for stream in entities if stream.startswith("alliance/")]
    for index, error in decide_all(entities, events, alliances)[1]:
        yield _problem(acts[index], error.message, ".".join(map(str, error.path)))


def check_links(acts: Sequence[Act]) -> Iterator[Problem]:
    """Check that the entities to which an act refers are in the corpus."""
    known = {act.planned.stream for act in acts}
    for act in acts:
        for field, stream in _links(act.planned.fact):
            if stream not in known:
                yield _problem(act, f"{stream} is not in the corpus", field)


def check_watched_sources(acts: Sequence[Act]) -> Iterator[Problem]:
    """Check that a list continued by polls names a watched source."""
    known = tomllib.loads(SHIPPED.read_text("utf-8"))
    for act in acts:
        fact = act.planned.fact
        if isinstance(fact, Declared) and fact.watched_source not in (None, *known):
            yield _problem(
                act, f"expected a source of {SHIPPED.name}: {', '.join(known)}", "watchedSource"
            )


def check_commodities(acts: Sequence[Act]) -> Iterator[Problem]:
    """Check that no clause names a commodity together with one that includes it, which would extend its
    coverage."""
    for act in acts:
        if isinstance(act.planned.fact, Announced | Amended):
            for clause in act.planned.fact.clauses:
                for commodity in clause.commodities:
                    if above := set(clause.commodities).intersection(ancestors(commodity)):
                        yield _problem(
                            act,
                            f"clause {clause.id} names {commodity} beside {min(above)}, which"
                            " includes it: expected one of them",
                            "clauses",
                        )


def check_sources(acts: Sequence[Act]) -> Iterator[Problem]:
    """Check that a source names its document, its publisher and its issuer."""
    openings = {
        act.planned.stream: act.planned.fact
        for act in acts
        if type(act.planned.fact) in INITIAL_FACTS
    }
    for act in acts:
        stream, fact = act.planned.stream, act.planned.fact
        issuers = issuers_of(stream, fact, openings.get(stream))
        for source in fact.sources:
            for message in _flaws(source, issuers):
                yield _problem(act, message, "source")


def _flaws(source: Source, issuers: Issuers) -> Iterator[str]:
    """Yield the faults of a source of a fact of these issuers."""
    publisher = publishers().get(source.publisher)
    if source.checked in READ and not (source.url or source.reference):
        yield f"expected a url or a reference of what was read ({source.checked})"
    if publisher is None:
        yield f"expected a publisher of publishers.toml, got {source.publisher}"
    elif (
        publisher.is_authority
        and source.url
        and source.checked is Checked.PAGE
        and not publisher.publishes(source.url)
    ):
        at = ", ".join(one.id for one in publishers_at(source.url)) or "a publisher of its own"
        yield f"expected who published what was read: {at}, not {publisher.id}"
    if source.copy_of and not cite(source, issuers).is_copy:
        yield (
            f"expected copyOf at an address of an authority of {_names(issuers)},"
            f" got {source.copy_of}"
        )
    if source.primary and not cite(source, issuers).is_primary:
        speaks = ", ".join(publisher.authority_of) if publisher else ""
        yield (
            f"expected no primary = true: {source.publisher} is an authority of"
            f" {speaks or 'nobody'}, not of {_names(issuers)}"
        )


def _names(issuers: Issuers) -> str:
    return ", ".join(sorted(issuers or ())) or "an issuer"


CHECKS: tuple[Callable[[Sequence[Act]], Iterator[Problem]], ...] = (
    check_order,
    check_ids,
    check_repetitions,
    check_rules,
    check_links,
    check_watched_sources,
    check_commodities,
    check_sources,
)


def _problem(act: Act, message: str, field: str = "") -> Problem:
    return Problem(act.file, message, act.id, field)


def _find_repeated(
    acts: Iterable[Act], key: Callable[[Act], Any], message: str, field: str = ""
) -> Iterator[Problem]:
    first: dict[Any, Act] = {}
    for act in acts:
        before = first.setdefault(key(act), act)
        if before is not act:
            yield _problem(act, message.format(before.id), field)


def _content(act: Act) -> Any:
    """Return the content of an act without its source; announcements are separate entities."""
    fact = act.planned.fact
    stream = ANNOUNCEMENT if isinstance(fact, Made) else act.planned.stream
    values = structs.asdict(fact) | {"source": None, "note": None, "quotation": None}
    return TYPES[type(fact)], stream, tuple(values.items())


def _links(fact: Any) -> Iterator[tuple[str, str]]:
    """Yield the entities to which a fact refers, each with its field."""
    match fact:
        case Made():
            yield from (("about", stream) for stream in fact.about)
            yield from (("conflictsWith", stream) for stream in fact.conflicts_with)
            yield from (("supersedes", stream) for stream in fact.supersedes)
        case Superseded():
            yield "by", fact.by
        case Founded():
            links = {"partOf": fact.part_of, "replaces": fact.replaces}
            yield from ((field, f"alliance/{id}") for field, id in links.items() if id)
        case Succeeded():
            yield "by", f"alliance/{fact.by}"
        case Merged():
            yield "into", f"export-control/{fact.into}"
