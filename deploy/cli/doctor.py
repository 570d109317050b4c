"""`tracker doctor`: check the parts of an installation, one line each."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from deploy.cli.common import DataDir, print_whole, report_errors
from deploy.cli.doctor_checks import (
    Finding,
    Options,
    Status,
    check_disks,
    check_mail,
    disks,
    examine_database,
    guarded,
)
from deploy.cli.process import Exit, catch_signals, run
from deploy.config import settings
from deploy.postgres import PostgresError, default_data_dir
from deploy.postgres.database_target import database
from tracker.errors import TrackerError
from tracker.postgres.database import Target

AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print a JSON object per line: part, status, message, remedy."),
]


def doctor(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Check database, roles, projections, keys, leases, clock, disk, mail and publishers.

    It changes nothing and sends nothing. Each line is OK, WARN or FAIL, the part, and what to do. The
    exit code is 1 if a check fails, and 0 otherwise.
    """
    catch_signals()
    directory = data_dir or default_data_dir()
    with report_errors():
        options = Options.read(directory)
    findings: list[Finding] = []
    target: Target | None = None
    try:
        target = settings.database_target()
        with database(directory, target) as connected:
            examined = examine_database(connected.target, directory, options)
            findings += run(connected.run_while_alive(examined))
    except PostgresError as error:
        remedy = "Start `tracker serve`, or set TRACKER_DATABASE_URL"
        findings.append(Finding("database", Status.FAIL, str(error), remedy))
    except TrackerError as error:
        findings.append(Finding("database", Status.FAIL, error.message, "docs/settings.md"))
    findings += check_disks(disks(directory, embedded=target is None))
    findings += run(guarded(check_mail))
    print_whole(json.dumps(asdict(each)) if as_json else _as_line(each) for each in findings)
    if any(each.status is Status.FAIL for each in findings):
        raise typer.Exit(Exit.REFUSED)


def _as_line(finding: Finding) -> str:
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    return " ".join(f"{finding.status:4} {finding.part}: {finding.message}{remedy}".split())
