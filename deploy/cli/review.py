"""`tracker review`: candidates from publishers, and decisions on them."""

import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer
from msgspec import Struct

from deploy.bootstrap import opened_pool
from deploy.cli.common import DataDir, day, fail, report_errors, run_with_database, stderr
from deploy.cli.process import Exit
from deploy.cli.rows import Row, print_rows
from deploy.config import settings
from projections.query.as_of import AsOf
from projections.query.candidate_matches import CandidateMatch, find_matches
from tracker.auth.scopes import check_name
from tracker.commands.handler import Commands
from tracker.domain.basics.codec import decode, from_builtins
from tracker.domain.catalogue.commodities import Commodity, descendants
from tracker.domain.catalogue.places import Actor
from tracker.domain.events.registry import fact_type
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
"""The default name of the reviewer: access to the database is enough."""
MAX_FACT_BYTES = 1_000_000

review = typer.Typer(
    name="review",
    no_args_is_help=True,
    help="Decide on candidates from publishers. Only accepted candidates are recorded in the log.",
)
Id = Annotated[int, typer.Argument(help="The id, from `tracker review list`.")]
Ids = Annotated[list[int], typer.Argument(help="The ids, from `tracker review list`.")]
Reason = Annotated[str | None, typer.Option(help="The reason. It stays on record.")]
Why = Annotated[str, typer.Option(help="The reason. It stays on record.")]
As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="NAME",
        help="The name of the reviewer, which is recorded with the event. If two people must accept, "
        "they need two names.",
    ),
]


class ReviewTools(Struct, frozen=True):
    """Dependencies of the commands."""

    target: Target
    pool: Pool
    review: Review

    async def import_accepted(self) -> None:
        """Import accepted files, unless a server does it."""
        await AcceptedImports(
            self.target, self.review, SnapshotStore(self.pool, settings.snapshots())
        ).work_off()

    async def matches(self, candidate: Candidate) -> list[CandidateMatch]:
        """Return the recorded acts that match a candidate."""
        as_of = AsOf(self.pool, Recorder(self.pool))
        [matches] = await find_matches(as_of.lists, await as_of.resolve(), [candidate])
        return matches


@review.command(name="list")
def list_(
    state: Annotated[
        CandidateState | None,
        typer.Option(help="Only candidates in this state.", show_default="pending"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Candidates in every state.")] = False,
    source: Annotated[
        str | None, typer.Option(help="Only candidates of this watched source.")
    ] = None,
    kind: Annotated[
        CandidateKind | None, typer.Option(help="Only candidates of this kind.")
    ] = None,
    commodity: Annotated[
        str | None, typer.Option(help="Only candidates about this commodity, or one below it.")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option(help="Only candidates about this place or alliance.")
    ] = None,
    assigned_to: Annotated[
        str | None,
        typer.Option(help="Only candidates assigned to this person; '' selects unassigned ones."),
    ] = None,
    search: Annotated[
        str | None, typer.Option(help="Only candidates with all of these words.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number, oldest first.")] = 50,
    data_dir: DataDir = None,
) -> None:
    """List candidates, oldest first: id, state, kind, source, day of publication, issuers, title."""
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
    """Show a candidate, one value per line: text and place, proposed fact, matching acts, decisions."""

    async def read(tools: ReviewTools) -> tuple[Candidate, list[CandidateMatch], list[Decision]]:
        await tools.review.resolve_unfinished()
        candidate = await tools.review.candidates.get(id)
        decisions = await tools.review.candidates.decisions([id])
        return candidate, await tools.matches(candidate), decisions[id]

    candidate, matches, decisions = work(data_dir, read)
    if fact:
        with report_errors():
            candidate.fact  # noqa: B018 - raises where there is none
        print(fact_json(candidate))
        return
    print_rows(describe(candidate))
    print_rows(("match", of.kind.value, of.entity, of.because) for of in matches)
    print_rows(
        ("decision", of.decided_at, of.actor, of.action.value, of.reason, of.detail)
        for of in decisions
    )


@review.command()
def accept(ids: Ids, by: As = ACTOR, reason: Reason = None, data_dir: DataDir = None) -> None:
    """Accept candidates independently: facts are recorded, files imported.

    Prints id, state and position of each.
    """

    async def decide(tools: ReviewTools) -> tuple[list[BulkOutcome], list[Candidate]]:
        outcomes = await tools.review.accept_all(ids, Reviewer(by, reason))
        await tools.import_accepted()
        return outcomes, await read_all(tools, ids)

    print_outcomes(*work(data_dir, decide, by))


@review.command()
def reject(ids: Ids, reason: Why, by: As = ACTOR, data_dir: DataDir = None) -> None:
    """Reject candidates, or close leads, for one reason. Prints id and state of each."""

    async def decide(tools: ReviewTools) -> tuple[list[BulkOutcome], list[Candidate]]:
        outcomes = await tools.review.reject_all(ids, Reviewer(by, reason))
        return outcomes, await read_all(tools, ids)

    print_outcomes(*work(data_dir, decide, by))


@review.command()
def postpone(
    id: Id,
    until: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="The day of its return to the queue.")
    ],
    by: As = ACTOR,
    reason: Reason = None,
    data_dir: DataDir = None,
) -> None:
    """Postpone a candidate until a day."""
    on = day(until)
    print_one(work(data_dir, lambda of: of.review.postpone(id, on, Reviewer(by, reason)), by))


@review.command()
def assign(
    id: Id,
    to: Annotated[
        str | None,
        typer.Option(help="The person who should decide (default: removes the assignment)."),
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
    """Replace the proposed fact of a candidate, or turn a lead into a fact.

    The input is an object with `entity`, `type` and `data`.
    """
    with report_errors():
        input = decode(FactInput, read_input(file))
        fact = from_builtins(fact_type(input.type), input.data)
    print_one(
        work(data_dir, lambda of: of.review.edit(id, input.entity, fact, Reviewer(by, reason)), by)
    )


@review.command()
def reopen(id: Id, by: As = ACTOR, reason: Reason = None, data_dir: DataDir = None) -> None:
    """Make a rejected, postponed or superseded candidate pending again."""
    print_one(work(data_dir, lambda of: of.review.reopen(id, Reviewer(by, reason)), by))


class FactInput(msgspec.Struct, forbid_unknown_fields=True):
    """A fact from a file."""

    entity: str
    type: str
    data: dict[str, Any]


def fact_json(of: Candidate) -> str:
    """Return the proposed fact of a candidate as indented JSON."""
    text = msgspec.json.encode({"entity": of.stream, "type": of.type, "data": of.data})
    return msgspec.json.format(text, indent=2).decode()


def read_input(name: str) -> bytes:
    """Return the content of a file, or of standard input."""
    if name == "-":
        return sys.stdin.buffer.read(MAX_FACT_BYTES)
    with Path(name).open("rb") as file:
        return file.read(MAX_FACT_BYTES)


def work(data_dir: Path | None, do: Callable[[ReviewTools], Awaitable[T]], actor: str = ACTOR) -> T:
    """Run an operation on the candidates of the database of the settings, under a name."""

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
    """Return the candidates of some ids, without missing ones."""
    return list((await tools.review.candidates.get_all(list(ids))).values())


def print_one(of: Candidate) -> None:
    """Print the state of a candidate."""
    print_rows([(of.id, of.state.value, of.position)])


def print_outcomes(outcomes: list[BulkOutcome], candidates: list[Candidate]) -> None:
    """Print the states of candidates and the refusals. Exits with an error after a refusal."""
    by_id = {of.id: of for of in candidates}
    refused = {of.id: of.error for of in outcomes if of.error is not None}
    refused |= {
        of.id: TrackerError(of.refusal, code="IMPORT_REFUSED")
        for of in candidates
        if of.refusal is not None and of.id not in refused
    }
    print_rows((id, by_id[id].state.value, by_id[id].position) for id in by_id if id not in refused)
    for id, error in refused.items():
        stderr.print(f"{id}: {error.message} ({error.code})", markup=False)
    if refused:
        fail(f"{len(refused)} of {len(outcomes)} were refused", Exit.REFUSED)


def describe(of: Candidate) -> Iterator[Row]:
    """Yield all values of a candidate."""
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
