"""Checks of `tracker doctor`: each reads one part and changes nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from deploy.bootstrap import check_migrations, open_connection, open_pool
from deploy.cli.database_problem import describe_database_problem, describe_target
from deploy.config import settings, table
from deploy.config.mail import mail
from projections.registry import PROJECTIONS
from projections.runner.folds import USE_THAT_RELEASE, AnotherRelease, read_folds
from projections.versions.projection import Versions
from schema.telemetry.readiness import Readiness, delivery_warnings
from tracker.alerts.mailer import LEASE as MAIL_LEASE
from tracker.alerts.smtp import Connection as MailConnection
from tracker.audit.format.signed_note import Note
from tracker.audit.serve.proofs import ProofService
from tracker.delivery.summary import LEASE as DELIVERY_LEASE
from tracker.delivery.summary import read_summary
from tracker.errors import NotFound, TrackerError
from tracker.log.recorder import Recorder
from tracker.postgres.database import (
    API,
    CONNECTION_ERRORS,
    DELIVERER,
    MAILER,
    PROJECTOR,
    PUBLISHER,
    WATCHER,
    Pool,
    Target,
)
from tracker.postgres.lease import SQL as LEASES
from tracker.postgres.roles import SQL as ROLES
from tracker.watch.summary import LEASE as WATCH_LEASE
from tracker.watch.summary import WatchOverview

MIN_FREE_BYTES = 1_000_000_000
MIN_FREE_SHARE = 0.05
"""Free space of a disk, in bytes and as a share, below which it is reported."""
TIMEOUT_SECONDS = 10
"""Timeout of a query in seconds."""


class Status(StrEnum):
    """The result of a check."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check of one part, with a remedy unless it is OK."""

    part: str
    status: Status
    message: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """Tasks of a server by the settings."""

    signs: bool
    watches: bool
    mails: bool

    @classmethod
    def read(cls, data_dir: Path) -> Self:
        """Read the settings. Raises WrongSetting."""
        signs, watches = settings.signing(data_dir), settings.watch_options()
        return cls(signs is not None, watches is not None, mail() is not None)

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that the login of this server needs."""
        optional = ((PUBLISHER, self.signs), (WATCHER, self.watches), (MAILER, self.mails))
        return (API, PROJECTOR, DELIVERER, *(role for role, needed in optional if needed))


def check_disks(directories: Iterable[Path]) -> Iterator[Finding]:
    """Check the free space where this process and an embedded database write."""
    for directory in directories:
        usage = shutil.disk_usage(directory)
        text = f"{directory}: {usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB are free"
        if usage.free < max(MIN_FREE_BYTES, MIN_FREE_SHARE * usage.total):
            yield Finding("disk", Status.WARN, text, "Free space, or add a larger disk")
        else:
            yield Finding("disk", Status.OK, text)


def disks(data_dir: Path, embedded: bool) -> set[Path]:
    """Return the existing directories that are written to."""
    written = {Path(tempfile.gettempdir()), settings.audit_dir(data_dir), settings.snapshots()}
    return {each for each in (*written, data_dir if embedded else None) if each and each.exists()}


async def check_mail() -> AsyncIterator[Finding]:
    """Check that the mail server accepts a connection and the login; no message is sent."""
    options = mail()
    if options is None:
        yield Finding("mail", Status.OK, f"off: {table.MAIL_SERVER.variable} is not set")
        return
    problem = await MailConnection(options.server).problem()
    place = f"{options.server.host}:{options.server.port}"
    if problem:
        remedy = f"Correct {table.MAIL_SERVER.variable} or start the mail server (docs/operating/mail.md)"
        yield Finding("mail", Status.FAIL, f"{place} refuses or does not answer: {problem}", remedy)
    else:
        yield Finding("mail", Status.OK, f"{place} accepts connections")


class DatabaseChecks:
    """Checks of a database that accepts the login."""

    def __init__(self, target: Target, data_dir: Path, options: Options, pool: Pool):
        self._target = target
        self._data_dir = data_dir
        self._options = options
        self._pool = pool
        self._recorder = Recorder(pool)

    @property
    def checks(self) -> dict[str, Callable[[], AsyncIterator[Finding]]]:
        """The checks by the part that they are about, in order."""
        return {
            "migrations": self.migrations,
            "roles": self.roles,
            "projections": self.projections,
            "keys": self.keys,
            "leases": self.leases,
            "deliveries": self.deliveries,
            "publishers": self.publishers,
            "clock": self.clock,
        }

    async def migrations(self) -> AsyncIterator[Finding]:
        """Check that no step of the schema is missing."""
        await check_migrations(self._target)
        yield Finding("migrations", Status.OK, "the schema is of this version")

    async def roles(self) -> AsyncIterator[Finding]:
        """Check that the login has the roles of its tasks."""
        async with open_connection(self._target) as connection:
            row = await connection.fetchrow(ROLES.lacking, list(self._options.roles))
        assert row is not None
        if lacking := row["roles"]:
            message = f"the login {row['login']} lacks {', '.join(lacking)}"
            remedy = f"GRANT {', '.join(lacking)} TO {row['login']}; (docs/database.md)"
            yield Finding("roles", Status.FAIL, message, remedy)
        else:
            granted = ", ".join(self._options.roles)
            yield Finding("roles", Status.OK, f"{row['login']} has {granted}")

    async def projections(self) -> AsyncIterator[Finding]:
        """Check that this code made the rows of each projection, and that they follow the log."""
        head = await self._recorder.head()
        folds = await read_folds(self._pool, [make() for make in PROJECTIONS.values()])
        for fold in folds:
            part, position = f"projection {fold.projection}", fold.position
            if not fold.is_own:
                message = AnotherRelease([fold], USE_THAT_RELEASE).message
                remedy = "docs/operating/upgrade.md, Two releases on one database"
                yield Finding(part, Status.FAIL, message, remedy)
                continue
            seconds = await self._recorder.age(position + 1)
            if fold.projection == Versions.name:
                report = Readiness(True, head, position, lag_seconds=seconds)
            else:  # it delays searches only
                report = Readiness(True, head, head, position, search_lag_seconds=seconds)
            problems = report.reasons + report.warnings
            if problems:
                remedy = (
                    "Start a server (`tracker serve`), which projects; docs/operating/alerts.md"
                )
                yield Finding(part, Status.WARN, "; ".join(problems), remedy)
            else:
                yield Finding(part, Status.OK, f"at position {position} of {head}")

    async def keys(self) -> AsyncIterator[Finding]:
        """Check that the keys are readable, and that they signed the newest checkpoint."""
        signing = settings.signing(self._data_dir)
        if signing is None:
            yield Finding("keys", Status.OK, f"off: {table.AUDIT_DIR.variable} is not set")
            return
        try:
            keys, set_back = signing.keystore.keys(), signing.keystore.set_back()
            newest = Note.parse((await ProofService(self._pool).last()).note.encode())
        except NotFound as error:
            yield Finding("keys", Status.OK, f"nothing is signed yet: {error.message}")
            return
        place, origin = signing.keystore.directory, signing.origin or keys.origin
        if set_back:
            yield Finding("keys", Status.FAIL, set_back, "docs/audit.md, Publisher")
        if origin != keys.origin:
            message = f"the keys in {place} are of the log {keys.origin}, not of {origin}"
            remedy = f"Correct {table.LOG_ORIGIN.variable} or {table.AUDIT_DIR.variable}"
            yield Finding("keys", Status.FAIL, message, remedy)
        elif not newest.verified_by(keys.all):
            message = f"none of the keys in {place} signed the newest checkpoint of this log"
            remedy = "Restore the keys of this log from their copy (docs/audit.md, Keys)"
            yield Finding("keys", Status.FAIL, message, remedy)
        elif not set_back:
            yield Finding("keys", Status.OK, f"{place} has the keys of {keys.origin}")

    async def leases(self) -> AsyncIterator[Finding]:
        """Check which tasks have a process that does them."""
        held = {row["name"] for row in await self._pool.fetch(LEASES.held)}
        tasks = {DELIVERY_LEASE: True, WATCH_LEASE: self._options.watches}
        tasks[MAIL_LEASE] = self._options.mails
        for name in sorted(name for name, configured in tasks.items() if configured):
            if name in held:
                yield Finding(f"lease {name}", Status.OK, "a process holds it")
            else:
                remedy = "Start a server with this task (`tracker serve`)"
                yield Finding(f"lease {name}", Status.WARN, "no process holds it", remedy)

    async def deliveries(self) -> AsyncIterator[Finding]:
        """Check that endpoints receive events."""
        summary = await read_summary(self._pool)
        for warning in delivery_warnings(summary):
            remedy = "docs/operating/alerts.md, TrackerEndpointsFail"
            yield Finding("deliveries", Status.WARN, warning, remedy)
        if not delivery_warnings(summary):
            yield Finding("deliveries", Status.OK, f"active endpoints: {summary.active}")

    async def publishers(self) -> AsyncIterator[Finding]:
        """Check that watched sources can be read."""
        summary = await WatchOverview(self._pool).summary()
        for warning in summary.warnings:
            yield Finding(
                "publishers", Status.WARN, warning, "docs/operating/monitor.md, Watched sources"
            )
        if not summary.warnings:
            yield Finding("publishers", Status.OK, f"watched sources: {len(summary.sources)}")

    async def clock(self) -> AsyncIterator[Finding]:
        """Compare the clock of this machine with the database's, and that with the newest event."""
        difference = await self._recorder.clock_difference()
        report = Readiness(True, clock_difference=difference)
        age = await self._recorder.age(await self._recorder.head())
        future = (f"the newest event was recorded {-age:.0f} seconds in the future",) * (age < -1)
        for problem in (*report.warnings, *future):
            yield Finding("clock", Status.WARN, problem, "Run NTP on both machines (`timedatectl`)")
        if not report.warnings and not future:
            yield Finding("clock", Status.OK, f"{abs(difference):.1f} s from the database's")


async def examine_database(
    target: Target, data_dir: Path, options: Options
) -> AsyncIterator[Finding]:
    """Yield the findings about a database; without a connection only that."""
    place = describe_target(target)
    try:
        async with open_connection(target) as connection:
            version = connection.get_server_version()
    except TrackerError as error:
        yield Finding("database", Status.FAIL, error.message, "docs/database.md")
        return
    except (*CONNECTION_ERRORS, TimeoutError) as error:
        message = describe_database_problem(error, target)
        yield Finding(
            "database", Status.FAIL, message, "docs/operating/alerts.md, TrackerDatabaseDown"
        )
        return
    name = f"PostgreSQL {version.major}.{version.minor} at {place}"
    yield Finding("database", Status.OK, f"{name} accepts the login")
    async with open_pool(target, role=API, least=0, seconds=TIMEOUT_SECONDS) as pool:
        for part, check in DatabaseChecks(target, data_dir, options, pool).checks.items():
            async for finding in guarded(part, check, target):
                yield finding


async def guarded(
    part: str, check: Callable[[], AsyncIterator[Finding]], target: Target | None = None
) -> AsyncIterator[Finding]:
    """Yield the findings of a check, and one that fails if it cannot be completed."""
    try:
        async for finding in check():
            yield finding
    except TrackerError as error:
        yield Finding(part, Status.FAIL, error.message, f"code {error.code}")
    except (*CONNECTION_ERRORS, TimeoutError) as error:
        message = describe_database_problem(error, target)
        yield Finding(part, Status.FAIL, message, "Repair the parts above first")
