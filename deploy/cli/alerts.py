"""`tracker alerts`: subscriptions by e-mail, for operators."""

from typing import Annotated

import typer

from deploy.bootstrap import opened_pool
from deploy.cli.common import DataDir, fail, report_errors, run_with_database
from deploy.cli.process import Exit
from deploy.config.mail import mail
from deploy.output.terminal import Terminal
from tracker.postgres.database import Target

alerts = typer.Typer(
    no_args_is_help=True,
    help="Count subscriptions to pages by e-mail, or delete those of an address.",
)
out = Terminal(highlight=False, soft_wrap=True)


@alerts.command()
def status(data_dir: DataDir = None) -> None:
    """Print the numbers of subscriptions and of waiting messages. Addresses are not shown."""
    from tracker.alerts.store import Alerts  # here, as it would delay every start

    with report_errors():
        options = mail()
    if options is None:
        fail("TRACKER_MAIL_SERVER is not set: there are no alerts", Exit.REFUSED)

    async def work(target: Target) -> str:
        async with opened_pool(target) as pool:
            summary = await Alerts(pool, options).summary()
        return (
            f"{summary.active} active, {summary.unconfirmed} unconfirmed, {summary.stopped} stopped;"
            f" {summary.waiting} messages wait, the oldest for {summary.oldest_seconds:.0f} seconds"
        )

    out.print(run_with_database(data_dir, work), markup=False)


@alerts.command()
def remove(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="The address, or - for standard input.")
    ],
    data_dir: DataDir = None,
) -> None:
    """Delete an address with all of its subscriptions and waiting messages."""
    import sys

    from tracker.alerts.store import Alerts  # here, as it would delay every start
    from tracker.alerts.subscription import parse_address

    with report_errors():
        options = mail()
        text = sys.stdin.readline() if address == "-" else address
        removed = parse_address(text)
    if options is None:
        fail("TRACKER_MAIL_SERVER is not set: there are no alerts", Exit.REFUSED)

    async def work(target: Target) -> int:
        async with opened_pool(target) as pool:
            return await Alerts(pool, options).remove_address(removed)

    out.print(f"Deleted subscriptions: {run_with_database(data_dir, work)}", markup=False)
