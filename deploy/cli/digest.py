"""`tracker digest`: the changes of a page since a day, as in an e-mail alert."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import typer

from deploy.bootstrap import running_tracker
from deploy.cli.common import DataDir, day_option, print_whole, report_errors, run_with_database
from deploy.config.mail import parse_site
from deploy.output.terminal import in_one_line
from deploy.web.app import import_execute
from tracker import clock
from tracker.errors import InvalidInput
from tracker.postgres.database import Target

MICROSECOND = timedelta(microseconds=1)


def digest(
    page: Annotated[
        str,
        typer.Argument(
            metavar="TARGET", help="Path and query of a page, such as `/commodities/gallium`."
        ),
    ],
    since: Annotated[
        date, day_option("--since", help="List the changes after the end of this day (UTC).")
    ],
    until: Annotated[
        date | None, day_option("--until", help="The last day (default: today, UTC).")
    ] = None,
    from_position: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="The position of the previous digest (default: the last one on the day of --since).",
        ),
    ] = None,
    as_html: Annotated[bool, typer.Option("--html", help="Print HTML instead of text.")] = False,
    site: Annotated[str, typer.Option(help="Address of the site.")] = "http://localhost:8000",
    data_dir: DataDir = None,
) -> None:
    """Print the recorded changes of a page since a day, as in an e-mail alert.

    The changes are status changes, new acts, acts that were recorded late, corrections, contradictions and
    upcoming changes, between the records at the end of both days.
    """
    import_execute()  # before background tasks start
    from schema.pages.alerts.digests import Digests  # here, as it would delay every start
    from schema.pages.alerts.targets import parse_target
    from schema.pages.alerts.texts import Point, digest_letter
    from tracker.alerts.letter import html, plain

    with report_errors():
        origin = parse_site(site)
        target = parse_target(page, [origin.lower()])
        last = until or clock.today()
        if since > last:
            raise InvalidInput("expected a day up to --until", path=("since",))

    async def work(database: Target) -> str:
        async with running_tracker(database) as services:
            head = await services.recorder.head()
            await services.projector.reach(head, seconds=600)

            async def position_on(day: date) -> int:
                end = datetime.combine(day + timedelta(days=1), time(), UTC) - MICROSECOND
                return (await services.as_of.resolve(day, end)).position

            first = from_position if from_position is not None else await position_on(since)
            start = Point(since, first)
            end = Point(last, head if until is None else await position_on(last))
            with report_errors():
                result = digest_letter(await Digests(services).digest(target, start, end), origin)
        return html(result) if as_html else f"Subject: {result.subject}\n\n{plain(result)}"

    print_whole(map(in_one_line, run_with_database(data_dir, work).split("\n")))
