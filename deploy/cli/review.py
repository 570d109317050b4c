"""`tracker review`: what was found at publishers, and what people decide on it."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from deploy.bootstrap import opened_pool
from deploy.cli.common import DataDir, day, fail, report_errors, run_with_database, stderr
from deploy.cli.process import Exit
from deploy.cli.rows import Row, print_rows
from deploy.config import settings
from projections.query.as_of import AsOf
from projections.query.candidate_matches import CandidateMatch, find_matches
from tracker.auth.scopes import check_name
from tracker.commands.handler import Commands
from tracker.domain.codec import decode, from_builtins
from tracker.domain.commodities import Commodity, descendants
from tracker.domain.registry import fact_type
from tracker.domain.values import Actor
from tracker.errors import TrackerError
from tracker.log.recorder import Recorder
from tracker.postgres.database import Pool, Target
from tracker.review.candidate import Candidate, CandidateKind, CandidateState, Decision
from tracker.review.candidates import CandidateFilter, CandidateOrder, Span
from tracker.review.imports import AcceptedImports
from tracker.review.review import BulkOutcome, Review, Reviewer
from tracker.snapshots.store import SnapshotStore

T = TypeVar("T")
ACTOR = "command line"
"""Whoever has the database decides, under this name unless another is given."""
MAX_FACT_BYTES = 1_000_000

review = typer.Typer(
    name="review",
    no_args_is_help=True,
    help="Decide on what was found at publishers. Nothing of it is in the log before it is accepted.",
)
Id = Annotated[int, typer.Argument(help="Its id, from `tracker review list`.")]
Ids = Annotated[list[int], typer.Argument(help="Their ids, from `tracker review list`.")]
Reason = Annotated[str | None, typer.Option(help="Why. It stays on record.")]
Why = Annotated[str, typer.Option(help="Why. It stays on record.")]
As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="NAME",
        help="Who decides: the name stays on record, and is that of the event. Where two persons have to"
        " accept, they need two.",
    ),
]


@dataclass(frozen=True, slots=True)
class ReviewTools:
    """What the commands work with."""

    target: Target
    pool: Pool
    review: Review

    async def import_accepted(self) -> None:
        """Import files that were accepted, unless a server is at it."""
        await AcceptedImports(
            self.target, self.review, SnapshotStore(self.pool, settings.snapshots())
        ).work_off()

    async def matches(self, candidate: Candidate) -> list[CandidateMatch]:
        """The known acts that a candidate is about."""
        as_of = AsOf(self.pool, Recorder(self.pool))
        [found] = await find_matches(as_of.lists, await as_of.resolve(), [candidate])
        return found


@review.command(name="list")
def list_(
    state: Annotated[
        CandidateState | None,
        typer.Option(help="Only those in this state.", show_default="pending"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Those in every state.")] = False,
    source: Annotated[str | None, typer.Option(help="Only those of this watched source.")] = None,
    kind: Annotated[CandidateKind | None, typer.Option(help="Only those of this kind.")] = None,
    commodity: Annotated[
        str | None, typer.Option(help="Only those about this commodity, or one below it.")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option(help="Only those about this place or alliance.")
    ] = None,
    assigned_to: Annotated[
        str | None, typer.Option(help="Only those assigned to this person; '' is nobody.")
    ] = None,
    search: Annotated[
        str | None, typer.Option(help="Only those that have all of these words.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, the oldest.")] = 50,
    data_dir: DataDir = None,
) -> None:
    """List candidates, the oldest first: id, state, kind, source, day of publication, issuers, title."""
    with report_errors():
        narrowed = CandidateFilter(
            state=None if every else state or CandidateState.PENDING,
            source=source,
            kind=kind,
            commodities=sorted(descendants(Commodity(commodity))) if commodity else None,
            issuer=Actor(issuer) if issuer else None,
            assigned_to=assigned_to,
            search=search,
        )

    async def read(tools: ReviewTools) -> list[Candidate]:
        await tools.review.resolve_unfinished()
        span = Span(limit=limit)
        return await tools.review.candidates.page(narrowed, CandidateOrder.OLDEST_FOUND, span)

    print_rows(
        (of.id, of.state.value, of.kind.value, of.source, of.published_on, of.issuers, of.title)
        for of in work(data_dir, read)
    )


@review.command()
def show(
    id: Id,
    fact: Annotated[
        bool, typer.Option("--fact", help="Print the proposed fact as JSON, as `edit` takes it.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Show all about a candidate, a value a line: what was read and where, what is proposed, which known
    acts it is about, what was done with it."""

    async def read(tools: ReviewTools) -> tuple[Candidate, list[CandidateMatch], list[Decision]]:
        await tools.review.resolve_unfinished()
        found = await tools.review.candidates.get(id)
        decisions = await tools.review.candidates.decisions([id])
        return found, await tools.matches(found), decisions[id]

    found, matches, decisions = work(data_dir, read)
    if fact:
        with report_errors():
            found.fact  # noqa: B018 - raises where there is none
        print(fact_json(found))
        return
    print_rows(describe(found))
    print_rows(("match", of.kind.value, of.entity, of.because) for of in matches)
    print_rows(
        ("decision", of.decided_at, of.actor, of.action.value, of.reason, of.detail)
        for of in decisions
    )


@review.command()
def accept(ids: Ids, by: As = ACTOR, reason: Reason = None, data_dir: DataDir = None) -> None:
    """Accept candidates, each by itself: their facts are recorded, files imported. Print id, state and
    position of each."""

    async def decide(tools: ReviewTools) -> tuple[list[BulkOutcome], list[Candidate]]:
        outcomes = await tools.review.accept_all(ids, Reviewer(by, reason))
        await tools.import_accepted()
        return outcomes, await read_all(tools, ids)

    print_outcomes(*work(data_dir, decide, by))


@review.command()
def reject(ids: Ids, reason: Why, by: As = ACTOR, data_dir: DataDir = None) -> None:
    """Reject candidates, or close leads, for one reason. Print id and state of each."""

    async def decide(tools: ReviewTools) -> tuple[list[BulkOutcome], list[Candidate]]:
        outcomes = await tools.review.reject_all(ids, Reviewer(by, reason))
        return outcomes, await read_all(tools, ids)

    print_outcomes(*work(data_dir, decide, by))


@review.command()
def postpone(
    id: Id,
    until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The day it waits again.")],
    by: As = ACTOR,
    reason: Reason = None,
    data_dir: DataDir = None,
) -> None:
    """Put a candidate off until a day."""
    on = day(until)
    print_one(work(data_dir, lambda of: of.review.postpone(id, on, Reviewer(by, reason)), by))


@review.command()
def assign(
    id: Id,
    to: Annotated[
        str | None, typer.Option(help="Who should decide on it (default: nobody).")
    ] = None,
    by: As = ACTOR,
    reason: Reason = None,
    data_dir: DataDir = None,
) -> None:
    """Assign a candidate to a person. Others may still decide on it."""
    print_one(work(data_dir, lambda of: of.review.assign(id, to, Reviewer(by, reason)), by))


@review.command()
def edit(
    id: Id,
    file: Annotated[
        str,
        typer.Argument(
            metavar="JSON", help="A file as `show --fact` prints it; `-`: standard input."
        ),
    ],
    by: As = ACTOR,
    reason: Reason = None,
    data_dir: DataDir = None,
) -> None:
    """Propose another fact in a candidate's place, or make a lead a fact: an object with `entity`, `type`
    and `data`."""
    with report_errors():
        given = decode(GivenFact, read_input(file))
        fact = from_builtins(fact_type(given.type), given.data)
    print_one(
        work(data_dir, lambda of: of.review.edit(id, given.entity, fact, Reviewer(by, reason)), by)
    )


@review.command()
def reopen(id: Id, by: As = ACTOR, reason: Reason = None, data_dir: DataDir = None) -> None:
    """Have a candidate wait again that was rejected, postponed or superseded."""
    print_one(work(data_dir, lambda of: of.review.reopen(id, Reviewer(by, reason)), by))


class GivenFact(msgspec.Struct, forbid_unknown_fields=True):
    """A fact as a file gives it."""

    entity: str
    type: str
    data: dict[str, Any]


def fact_json(of: Candidate) -> str:
    """The proposed fact of a candidate, in lines."""
    text = msgspec.json.encode({"entity": of.stream, "type": of.type, "data": of.data})
    return msgspec.json.format(text, indent=2).decode()


def read_input(name: str) -> bytes:
    """The content of a file, or of standard input."""
    if name == "-":
        return sys.stdin.buffer.read(MAX_FACT_BYTES)
    with Path(name).open("rb") as file:
        return file.read(MAX_FACT_BYTES)


def work(data_dir: Path | None, do: Callable[[ReviewTools], Awaitable[T]], actor: str = ACTOR) -> T:
    """Do something with the candidates of the database that the settings name, under a name."""

    async def with_tools(target: Target) -> T:
        if actor != ACTOR:
            check_name(actor)
        reviewers = settings.reviewers()
        async with opened_pool(target) as pool:
            recorder = Recorder(pool)
            tools = ReviewTools(target, pool, Review(pool, Commands(recorder), recorder, reviewers))
            return await do(tools)

    return run_with_database(data_dir, with_tools)


async def read_all(tools: ReviewTools, ids: Iterable[int]) -> list[Candidate]:
    """The candidates of some ids, without those that there are not."""
    return list((await tools.review.candidates.get_all(list(ids))).values())


def print_one(of: Candidate) -> None:
    """Say how a candidate stands."""
    print_rows([(of.id, of.state.value, of.position)])


def print_outcomes(outcomes: list[BulkOutcome], found: list[Candidate]) -> None:
    """Say how candidates stand, and which were refused. Leaves with an error where one was."""
    by_id = {of.id: of for of in found}
    refused = {of.id: of.error for of in outcomes if of.error is not None}
    refused |= {
        of.id: TrackerError(of.refusal, code="IMPORT_REFUSED")
        for of in found
        if of.refusal is not None and of.id not in refused
    }
    print_rows((id, by_id[id].state.value, by_id[id].position) for id in by_id if id not in refused)
    for id, error in refused.items():
        stderr.print(f"{id}: {error.message} ({error.code})", markup=False)
    if refused:
        fail(f"{len(refused)} of {len(outcomes)} were refused", Exit.REFUSED)


def describe(of: Candidate) -> Iterator[Row]:
    """All about a candidate."""
    yield from (
        ("id", of.id),
        ("kind", of.kind.value),
        ("state", of.state.value),
        ("revision", of.revision),
        ("source", of.source),
        ("item", of.item),
        ("title", of.title),
        ("language", of.language),
        ("number", of.number),
        ("published", of.published_on),
        ("found", of.found_at),
        ("url", of.url),
        ("place", of.place),
        ("snapshot", of.snapshot),
        ("reason", of.reason),
        ("issuers", of.issuers),
        ("commodities", of.commodities),
        ("entity", of.stream),
        ("type", of.type),
        ("reader", of.reader),
        ("file", of.file_name),
        ("lead", of.lead.value if of.lead else None),
        ("assigned to", of.assigned_to),
        ("postponed until", of.postponed_until),
        ("accepted by", of.accepted_by),
        ("position", of.position),
        ("refusal", of.refusal),
        ("superseded by", of.superseded_by),
    )
