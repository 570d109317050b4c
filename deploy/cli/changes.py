"""Commands for past and upcoming changes, as text or JSON lines."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.bootstrap import running_tracker
from deploy.cli.common import DataDir, day_option, fail, run_with_database
from deploy.cli.process import Exit
from deploy.output.terminal import Terminal, escaped_json, in_one_line
from deploy.web.app import import_execute
from schema.services import Access, Services
from tracker.postgres.database import Target

Node = dict[str, Any]
out = Terminal(highlight=False, soft_wrap=True)
MAX_SHOWN_CHARACTERS = 100

FRAGMENTS = """
fragment reason on Because { position eventId type summary source { publisher name publishedOn url } }
fragment title on State { ... on ExportControl { title } ... on Announcement { title }
  ... on Alliance { title: name } }"""
TRANSITION = (
    """
fragment transition on Transition {
  day entity kind transition clause member summary basis announcedOn
  fields { path before after } because { ...reason } before { ...title } after { ...title } }"""
    + FRAGMENTS
)
CHANGES = (
    """query ($from: MomentInput!, $day: Day, $position: Position, $commodity: String,
                    $after: String) {
  list: changes(from: $from, to: {validAt: $day, position: $position}, commodity: $commodity,
                first: 200, after: $after) {
    nodes { entity kind change effectiveDays fields { path before after } because { ...reason }
            before { ...title } after { ...title } }
    pageInfo { endCursor hasNextPage } } }"""
    + FRAGMENTS
)
UPCOMING = (
    """query ($day: Day, $position: Position, $days: Int!, $commodity: String,
                     $after: String) {
  asOf(validAt: $day, position: $position) {
    list: upcoming(days: $days, commodity: $commodity, first: 200, after: $after) {
      nodes { ...transition } pageInfo { endCursor hasNextPage } } } }"""
    + TRANSITION
)
TRANSITIONS = (
    """query ($day: Day, $position: Position, $between: DayRange, $commodity: String,
                        $issuer: String, $after: String) {
  asOf(validAt: $day, position: $position) {
    list: transitions(between: $between, commodity: $commodity, issuer: $issuer, first: 200,
                      after: $after) {
      nodes { ...transition } pageInfo { endCursor hasNextPage } } } }"""
    + TRANSITION
)

OfCommodity = Annotated[
    str | None,
    typer.Option("--commodity", help="Only this commodity or one below it, such as `gallium`."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object per line instead.")]


def changes(
    first_day: Annotated[
        date | None, day_option("--from", help="The first day (default: the second day).")
    ] = None,
    last_day: Annotated[
        date | None, day_option("--to", help="The second day (default: today, UTC).")
    ] = None,
    from_position: Annotated[
        int | None, typer.Option(min=0, help="The first position (default: the second position).")
    ] = None,
    to_position: Annotated[
        int | None, typer.Option(min=0, help="The second position (default: the last one).")
    ] = None,
    commodity: OfCommodity = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Compare two moments, with the causing events.

    Two days show what happened. Two positions show what was restated. A change that was reversed in
    between does not appear.
    """
    start = {"validAt": to_text(first_day), "position": to_text(from_position)}
    variables = {
        "from": start,
        "day": to_text(last_day),
        "position": to_text(to_position),
        "commodity": commodity,
    }
    print_nodes(CHANGES, variables, print_line if as_json else describe_change, data_dir)


def upcoming(
    days: Annotated[int, typer.Option(min=0, help="Number of days to look ahead.")] = 90,
    valid_at: Annotated[
        date | None, day_option(help="The start day, exclusive (default: today, UTC).")
    ] = None,
    commodity: OfCommodity = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List upcoming changes: clauses that start, end, are suspended or return."""
    variables = {"day": to_text(valid_at), "position": None, "days": days, "commodity": commodity}
    print_nodes(UPCOMING, variables, print_line if as_json else describe_transition, data_dir)


def transitions(
    first_day: Annotated[
        date | None, day_option("--from", help="The first day (default: no limit).")
    ] = None,
    last_day: Annotated[
        date | None, day_option("--to", help="The last day (default: no limit).")
    ] = None,
    valid_at: Annotated[
        date | None, day_option(help="Only facts public by this day (default: today, UTC).")
    ] = None,
    commodity: OfCommodity = None,
    issuer: Annotated[
        str | None, typer.Option(help="Only export controls of this issuer, such as `CN`.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List past and upcoming status changes by day.

    These are starts, suspensions and returns of controls, joining and leaving members, and
    announcements.
    """
    variables = {
        "day": to_text(valid_at),
        "position": None,
        "between": {"from": to_text(first_day), "to": to_text(last_day)},
        "commodity": commodity,
        "issuer": issuer,
    }
    print_nodes(TRANSITIONS, variables, print_line if as_json else describe_transition, data_dir)


def to_text(value: date | int | None) -> str | None:
    """Return a day or a position as the API expects it."""
    return None if value is None else str(value)


def print_nodes(
    document: str, variables: dict[str, Any], show: Callable[[Node], None], data_dir: Path | None
) -> None:
    """Query a whole list and print its items as they arrive."""

    async def work(target: Target) -> None:
        import_execute()  # before background tasks start
        async with running_tracker(target) as services:
            head = await services.recorder.head()
            await services.projector.reach(head, seconds=600)
            # All pages use the same moment, so that new events do not shift them.
            pinned = {**variables, "position": variables["position"] or str(head)}
            async for node in nodes(services, document, pinned):
                show(node)

    run_with_database(data_dir, work)


async def nodes(
    services: Services, document: str, variables: dict[str, Any]
) -> AsyncIterator[Node]:
    """Yield the items of a list, page by page. Exits with the first error of a response."""
    execute = import_execute()
    page: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        variables = {**variables, "after": page["endCursor"]}
        answer = await execute(services, document, variables, Access())
        for error in answer.get("errors", ()):
            fail(f"{error['message']} ({error['extensions']['code']})", Exit.REFUSED)
        connection = answer["data"].get("asOf", answer["data"])["list"]
        for node in connection["nodes"]:
            yield node
        page = connection["pageInfo"]


def print_line(node: Node) -> None:
    """Print an item as a line of JSON."""
    print(escaped_json(json.dumps(node, ensure_ascii=False)))


def describe_change(node: Node) -> None:
    """Print a change as text."""
    days = f" on {', '.join(node['effectiveDays'])}" if node["effectiveDays"] else ""
    title = (node["after"] or node["before"]).get("title")
    describe(f"{node['entity']}  {node['change'].lower()}{days}", node, title, node["because"])


def describe_transition(node: Node) -> None:
    """Print a transition as text."""
    part = next((f" {name} {node[name]}" for name in ("clause", "member") if node[name]), "")
    transition = node["transition"].lower().replace("_", " ")
    headline = f"{node['day']}  {node['entity']}{part}  {transition}"
    describe(headline, node, node["summary"], [node["because"]])


def describe(headline: str, node: Node, detail: str | None, reasons: list[Node]) -> None:
    """Print an item: headline, changed fields and causes."""
    out.print(headline, style="bold", markup=False)
    if detail:
        out.print(f"  {in_one_line(detail)}", markup=False)
    for field in node["fields"]:
        if field["path"]:  # skip the whole state
            out.print(
                f"  {in_one_line(' '.join(field['path']))}: {shorten(field['before'])} →"
                f" {shorten(field['after'])}",
                style="green",
                markup=False,
            )
    for reason in reasons:
        source = reason["source"]
        out.print(
            f"  because of {reason['position']}: {in_one_line(reason['summary'])}"
            f" {in_one_line(source['name'])}, {source['publishedOn']}",
            style="dim",
            markup=False,
        )


def shorten(value: Any) -> str:
    """Return a shortened text of a value."""
    if value is None:
        return "–"
    text = in_one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[: MAX_SHOWN_CHARACTERS - 1]}…"
