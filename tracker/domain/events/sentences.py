"""One English sentence for each fact, identical on pages, in feeds and on the command line. Pure.

A sentence states no more than the fact. A suspension names clauses only, so it needs the names of entities at
that time: `names_needed` returns the entities, and `names.py` has their names.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain

from tracker.domain.actors import alliance, firm
from tracker.domain.actors.announcement import Made, Superseded
from tracker.domain.basics.control_vocabulary import Covers, Direction, DutyRelation
from tracker.domain.basics.vocabulary import MemberRole
from tracker.domain.controls import export_control_acts as acts
from tracker.domain.controls import obligation, text
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.duty_relations import Related, Relation
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.history import Retracted
from tracker.domain.entities.redaction import Redacted
from tracker.domain.events.figure_sentences import (
    figure_name,
    figure_sentence,
    flow_sentence,
    tariff_sentence,
)
from tracker.domain.evidence import coverage
from tracker.domain.evidence import watched_source_facts as watch
from tracker.domain.evidence.import_receipt import Receipt
from tracker.domain.figures.figure import Figure
from tracker.domain.figures.figure_facts import Claimed, Preferred
from tracker.domain.figures.preference import Ordered
from tracker.domain.figures.tariff import LineFact, TariffLine, tariff_name
from tracker.domain.figures.tariff_edition import EditionRead, TariffEdition
from tracker.domain.figures.trade_flow import FlowClaimed, TradeFlow, flow_name
from tracker.domain.wording.phrases import (
    beginning,
    commodities_phrase,
    date_phrase,
    is_alliance,
    listed,
    many,
    on_phrase,
    place_in_text,
    publisher_phrase,
    until_phrase,
    with_capital,
    word_phrase,
)

MAX_LIMITS = 3
"""Maximum number of items, places or firms that a limit names before it counts the others."""
Names = Mapping[str, str]
"""Names of entities by their names in the log; the key is used for a missing one."""


def names_needed(entity: str, fact: Fact) -> set[str]:
    """Return the entities whose names the sentence of a fact uses; names of figures need no lookup."""
    match fact:
        case Made():
            return {_alliance(actor) for actor in fact.actors if is_alliance(actor)}
        case alliance.Founded():
            return {_alliance(link) for link in (fact.part_of, fact.replaces) if link}
        case alliance.Succeeded():
            return {entity, _alliance(fact.by)}
        case Superseded():
            return {entity, _entity_name("announcement", fact.by)}
        case acts.Merged():
            return {entity, _entity_name("export-control", fact.into)}
        case Related() if fact.relation.other:
            return {entity, _entity_name("export-control", fact.relation.other)}
        case Claimed() | Preferred() | FlowClaimed() | EditionRead() | LineFact() | Retracted():
            return set()
    return {entity}


def sentence(
    entity: str, fact: Fact, names: Names, retracted: tuple[str, Fact] | None = None
) -> str:
    """Return the sentence of a fact about an entity.

    `retracted` is the fact that a retraction retracts, after its entity.
    """
    match fact:
        case Retracted():
            text = _retraction(fact, names, retracted)
        case alliance.AllianceFact():
            text = _of_alliance(_name(names, entity), fact, names)
        case Made() | Superseded():
            text = _of_announcement(_name(names, entity), fact, names)
        case acts.Announced() | acts.Amended() | acts.ClausesFact() | acts.Disputed() | Related():
            text = _of_control(_name(names, entity), fact, names)
        case Claimed() | Preferred():
            text = figure_sentence(entity, fact)
        case FlowClaimed():
            text = flow_sentence(entity, fact)
        case EditionRead() | LineFact():
            text = tariff_sentence(entity, fact)
        case watch.SourceFact():
            text = _of_source(_name(names, entity), fact)
        case _:
            text = _of_others(_name(names, entity), fact)
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _retraction(fact: Retracted, names: Names, retracted: tuple[str, Fact] | None) -> str:
    word = "Corrected" if fact.replacement else "Retracted"
    if retracted is None or isinstance(retracted[1], Retracted):
        retracted_fact = f"the {'retraction' if retracted else 'event'} {fact.retracts}."
    else:
        retracted_fact = f"“{sentence(*retracted, names)}”"
    return f"{word}: {retracted_fact} Reason: {beginning(fact.reason)}"


def _of_alliance(name: str, fact: alliance.AllianceFact, names: Names) -> str:
    day = on_phrase(fact.on)
    match fact:
        case alliance.Founded():
            part = f" as part of {_name(names, _alliance(fact.part_of))}" if fact.part_of else ""
            old = f" in place of {_name(names, _alliance(fact.replaces))}" if fact.replaces else ""
            return f"{fact.name} is founded {day}{part}{old}{_members(fact)}"
        case alliance.Renamed():
            return f"{name} is renamed {fact.name} {day}"
        case alliance.MemberJoined():
            since = f", a member since {date_phrase(fact.since)}" if fact.since else ""
            role = "" if fact.role is MemberRole.MEMBER else f" as {fact.role}"
            return f"{with_capital(place_in_text(fact.member))} joins {name}{role} {day}{since}"
        case alliance.RoleChanged():
            member, start = with_capital(place_in_text(fact.member)), date_phrase(fact.on)
            return f"{member} takes part in {name} as {fact.role} from {start} on"
        case alliance.MembersListed():
            members = listed(map(place_in_text, fact.members))
            return f"{name}: the list of members is public {day}{members and f': {members}'}"
        case alliance.MemberLeft():
            return f"{with_capital(place_in_text(fact.member))} leaves {name} {day}"
        case alliance.Succeeded():
            return f"{name} is succeeded by {_name(names, _alliance(fact.by))} {day}"
    return f"{name} ends {day}"


def _members(fact: alliance.Founded) -> str:
    if fact.members:
        return f", with {listed(map(place_in_text, fact.members))}"
    return "" if fact.members_known else "; no list of its members is known"


def _of_announcement(name: str, fact: Made | Superseded, names: Names) -> str:
    if isinstance(fact, Superseded):
        later = _name(names, _entity_name("announcement", fact.by))
        return f"“{name}” is superseded by “{later}” {on_phrase(fact.on)}"
    actors = [
        _name(names, _alliance(actor)) if is_alliance(actor) else place_in_text(actor)
        for actor in fact.actors
    ]
    until = f" (until {date_phrase(fact.until)})" if fact.until else ""
    by = f" by {listed(actors)}" if actors else ""
    return f"{str(fact.kind).capitalize()}{by}, {date_phrase(fact.on)}: {fact.title}{until}"


def _of_control(name: str, fact: Fact, names: Names) -> str:
    match fact:
        case acts.Announced():
            issuer = place_in_text(fact.issuer)
            stages = {clause.legal_stage for clause in fact.clauses}
            verb = stages.pop().verb if len(stages) == 1 else "announces"
            head = (
                f"{with_capital(issuer)} {verb}"
                if fact.official
                else f"Reported of {issuer}, not announced"
            )
            return f"{head}: {fact.title} ({'; '.join(_measures(fact))})"
        case acts.Amended():
            start = f" from {date_phrase(fact.effective_from)} on" if fact.effective_from else ""
            return (
                f"{name}: amended {on_phrase(fact.on)},"
                f" {_clauses([c.id for c in fact.clauses], 'reworded')}{start}"
            )
        case acts.Disputed():
            publisher = publisher_phrase(fact.source.publisher)
            return f"{name}: {publisher} gives a different account: {beginning(fact.account)}"
        case Related():
            return f"{name}: {_relation(fact.relation, names)}"
        case acts.ClausesFact():
            return f"{name}: {_clauses(fact.clauses, _act(fact, names))}"
    raise TypeError(f"no sentence for {fact!r}")


def _relation(of: Relation, names: Names) -> str:
    """Return the effect of the duty of some clauses on another duty, and the places that it is limited to."""
    duty = f"the duty of clause {listed(of.clauses)}" if of.clauses else "the duty"
    other = _name(names, _entity_name("export-control", of.other)) if of.other else ""
    if of.other_clauses:
        other += f", clause {listed(of.other_clauses)}"
    effects = {
        DutyRelation.ADDS_TO: f"is paid in addition to that of {other}",
        DutyRelation.YIELDS_TO: f"is not paid where that of {other} is paid",
        DutyRelation.CAPPED_AT: f"and that of {other} are together at most {of.percent} percent",
        DutyRelation.INCLUDES_ORDINARY: "includes the ordinary duty",
    }
    limits = (("for", of.places), ("not for", of.except_places))
    texts = [f", {word} {listed(map(place_in_text, places))}" for word, places in limits if places]
    return f"{duty} {effects[of.kind]}" + "".join(texts)


def _act(fact: acts.ClausesFact, names: Names) -> str:
    """Return the effect of an act on its clauses, for use after `is` or `are`."""
    match fact:
        case acts.EnteredIntoForce():
            return f"in force from {date_phrase(fact.in_force_from)} on"
        case acts.Extended():
            return f"extended until {date_phrase(fact.in_force_until)}"
        case acts.Suspended():
            firms = f" for {listed(fact.entities)}" if fact.entities else ""
            last = until_phrase(fact.last_day)
            return f"suspended{firms} from {date_phrase(fact.suspended_from)} {last}"
        case acts.SuspensionExtended():
            return f"suspended longer, {until_phrase(fact.suspended_until)}"
        case acts.SuspensionStated():
            until = until_phrase(fact.suspended_until)
            return f"suspended {until}, as {fact.stated_by} stated without an instrument"
        case acts.Reinstated():
            return f"back in force from {date_phrase(fact.reinstated_from)} on"
        case acts.Expired():
            return f"expired; the last day is {date_phrase(fact.in_force_until)}"
        case acts.Repealed():
            return f"repealed from {date_phrase(fact.repealed_from)} on"
        case acts.Merged():
            into = _name(names, _entity_name("export-control", fact.into))
            return f"continued in “{into}” from {date_phrase(fact.merged_from)} on"
        case acts.Discontinued():
            return f"ended from {date_phrase(fact.discontinued_from)} on: {fact.outcome.phrase}"
    raise TypeError(f"no sentence for {fact!r}")


def _clauses(ids: tuple[str, ...] | list[str], verb: str) -> str:
    """Return clauses with their effect."""
    if len(ids) == 1:
        return f"clause {ids[0]} is {verb}"
    return f"clauses {listed(ids)} are {verb}" if ids else f"all clauses are {verb}"


def _measures(fact: acts.Announced) -> Iterator[str]:
    """Yield the measures of an instrument with their goods, places and limits, and their first days."""
    clauses: tuple[Clause, ...] = fact.clauses
    goods = commodities_phrase(id for clause in clauses for id in clause.commodities)
    measures = listed(clause.measure.phrase for clause in clauses)
    yield f"{measures}, {fact.direction.noun} of {goods}" + "".join(_limits(fact))
    starts = {clause.in_force_from for clause in clauses if clause.in_force_from}
    if len(starts) == 1 and all(clause.in_force_from for clause in clauses):
        yield f"from {date_phrase(starts.pop())} on"


def _limits(fact: acts.Announced) -> Iterator[str]:
    """Yield the limits of the clauses: forms, places, subjects, items, end uses and firms.

    A limit that some clauses lack, or that differs between them, holds in part.
    """
    of = fact.clauses
    places = [one.origins if fact.direction is Direction.IMPORT else one.destinations for one in of]
    limits: tuple[tuple[str, list[list[str]]], ...] = (
        (" as", [[*map(word_phrase, one.forms)] for one in of]),
        (f" {fact.direction.toward}", [[*map(place_in_text, one)] for one in places]),
        (
            ", covering",
            [[word_phrase(one.covers)] * (one.covers is not Covers.GOODS) for one in of],
        ),
        (", only", [[item.name for item in one.items if not one.items_complete] for one in of]),
        (", for", [[one.end_use] if one.end_use else [] for one in of]),
        (", naming", [[*one.entities] for one in of]),
    )
    for word, names in limits:
        if named := [*chain.from_iterable(names)]:
            in_part = "" if all(one == names[0] for one in names) else ", in part"
            yield f"{in_part}{word.lstrip(',') if in_part else word} {listed(named, MAX_LIMITS)}"


def _of_others(name: str, fact: Fact) -> str:
    match fact:
        case firm.Identified():
            seat = f" of {place_in_text(fact.place)}" if fact.place else ""
            also = f", also {listed(fact.also)}" if fact.also else ""
            return f"{fact.name} is known as a firm{seat}{also}"
        case firm.Renamed():
            return f"{name} is renamed {fact.name} {on_phrase(fact.on)}"
        case Ordered():
            order = listed(map(publisher_phrase, fact.publishers))
            scope = commodities_phrase([fact.commodity]) if fact.commodity else "all commodities"
            statistic = f" ({word_phrase(fact.statistic)})" if fact.statistic else ""
            return (
                f"For {scope}{statistic} publishers are preferred in this order: {order}."
                f" Reason: {beginning(fact.reason)}"
            )
        case Receipt():
            return (
                f"Import of {fact.file} by the reader {fact.reader} {on_phrase(fact.on)}:"
                f" {fact.counts.new + fact.counts.restated} facts recorded,"
                f" {fact.counts.refused} refused"
            )
        case obligation.Stated():
            return obligation.obligation_sentence(fact)
        case obligation.Postponed():
            least = obligation.earliest(fact.due)
            due = f"not before {date_phrase(least)}" if least else "after an event"
            return f"{name}: due {due}, by {fact.act}"
        case obligation.Repealed():
            start = date_phrase(fact.repealed_from)
            return f"{name}: repealed from {start} on, by {fact.act}"
        case text.Recorded():
            return f"{name}: text in {fact.language!r} that governs from {date_phrase(fact.on)}"
        case coverage.Declared():
            whole = "in part" if fact.left_out else "whole"
            return f"{fact.name} is declared as read to {date_phrase(fact.last)}, {whole}"
        case coverage.Withdrawn():
            return f"The declaration of {name} is withdrawn {on_phrase(fact.on)}: {beginning(fact.reason)}"
        case Redacted():
            return (
                f"Texts of the event {fact.redacts} are redacted {on_phrase(fact.on)}:"
                f" {beginning(fact.reason)}"
            )
    raise TypeError(f"no sentence for {fact!r}")


def _of_source(name: str, fact: watch.SourceFact) -> str:
    match fact:
        case watch.Watched():
            rhythm = f"every {fact.every_hours:g} hours" if fact.every_hours != 1 else "every hour"
            return (
                f"{fact.name} is watched from {date_phrase(fact.on)} on, {rhythm}: {fact.address}"
            )
        case watch.Unwatched():
            return (
                f"{name} is not watched any more from {date_phrase(fact.on)} on:"
                f" {beginning(fact.reason)}"
            )
        case watch.Looked():
            return _of_poll(name, fact)
        case watch.SnapshotRedacted():
            return (
                f"The snapshot {fact.sha256[:12]}… of {name} is redacted {on_phrase(fact.on)}:"
                f" {beginning(fact.reason)}"
            )
        case watch.FetchFact():
            return f"{name}, poll {fact.look}: {fact.address} {_outcome(fact)}"
    raise TypeError(f"no sentence for {fact!r}")


def _outcome(fact: watch.FetchFact) -> str:
    """Return the result of a request, for use after its address."""
    match fact:
        case watch.Fetched():
            media_type = f" of {fact.media_type}" if fact.media_type else ""
            moved = f", from {fact.moved_to}" if fact.moved_to else ""
            return (
                f"was fetched{moved}: {fact.size:,} bytes{media_type}, SHA-256 {fact.sha256[:12]}…"
            )
        case watch.Unchanged():
            return f"has not changed: SHA-256 {fact.sha256[:12]}…"
        case watch.Failed():
            answer = f", HTTP status {fact.status}" if fact.status else ""
            return f"could not be read ({fact.code}{answer}): {beginning(fact.reason)}"
    raise TypeError(f"no sentence for {fact!r}")


def _of_poll(name: str, fact: watch.Looked) -> str:
    how = "was polled completely" if fact.complete else "could not be polled completely"
    day = date_phrase(fact.covers_until) if fact.covers_until else ""
    until = f", up to what was announced by {day}" if day else ""
    results = (
        f"{_many(fact.snapshots, 'new snapshot')} and {_many(fact.candidates, 'new candidate')}"
        if fact.snapshots or fact.candidates
        else "nothing new"
    )
    requests = _many(fact.requests, "request")
    return f"{name} {how} {on_phrase(fact.on)}{until}: {requests}, {results}"


_many = partial(many, space=" ")


def _name(names: Names, entity: str) -> str:
    """Return the name of an entity; of a figure, its series; the key if there is no name."""
    if entity.startswith(f"{Figure.KIND}/"):
        return figure_name(entity)
    if entity.startswith(f"{TradeFlow.KIND}/"):
        return flow_name(entity)
    if entity.startswith((f"{TariffLine.KIND}/", f"{TariffEdition.KIND}/")):
        return tariff_name(entity)
    return names.get(entity) or entity.partition("/")[2]


def _alliance(link: str) -> str:
    return _entity_name(alliance.Alliance.KIND, link)


def _entity_name(kind: str, link: str) -> str:
    """Return the entity of a link, which may start with its kind."""
    return link if link.startswith(f"{kind}/") else f"{kind}/{link}"
