"""Checks of `tracker doctor`: each reads one part and changes nothing."""

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from msgspec import Struct

from deploy.bootstrap import check_migrations, open_connection, open_pool
from deploy.cli.database_problem import describe_database_problem, describe_target
from deploy.config import settings
from deploy.config.mail import mail
from deploy.config.table import TABLE
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


Check = Callable[[], Awaitable[list[Finding]]]


class Options(Struct, frozen=True):
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


def _ok(part: str, message: str) -> list[Finding]:
    return [Finding(part, Status.OK, message)]


def _fail(part: str, message: str, remedy: str) -> list[Finding]:
    return [Finding(part, Status.FAIL, message, remedy)]


def _warned(part: str, problems: Iterable[str], remedy: str, message: str) -> list[Finding]:
    """Return a warning for each problem, or the message if there is none."""
    return [Finding(part, Status.WARN, each, remedy) for each in problems] or _ok(part, message)


def check_disks(directories: Iterable[Path]) -> list[Finding]:
    """Check the free space where this process and an embedded database write."""
    findings: list[Finding] = []
    for directory in directories:
        usage = shutil.disk_usage(directory)
        text = f"{directory}: {usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB are free"
        is_full = usage.free < max(MIN_FREE_BYTES, MIN_FREE_SHARE * usage.total)
        findings += _warned("disk", [text] * is_full, "Free space, or add a larger disk", text)
    return findings


def disks(data_dir: Path, embedded: bool) -> set[Path]:
    """Return the existing directories that are written to."""
    written = {Path(tempfile.gettempdir()), settings.audit_dir(data_dir), settings.snapshots()}
    return {each for each in (*written, data_dir if embedded else None) if each and each.exists()}


async def check_mail() -> list[Finding]:
    """Check that the mail server accepts a connection and the login; no message is sent."""
    options = mail()
    if options is None:
        return _ok("mail", f"off: {TABLE['MAIL_SERVER'].variable} is not set")
    place = f"{options.server.host}:{options.server.port}"
    if problem := await MailConnection(options.server).problem():
        remedy = f"Correct {TABLE['MAIL_SERVER'].variable} or start the mail server (docs/operating/mail.md)"
        return _fail("mail", f"{place} refuses or does not answer: {problem}", remedy)
    return _ok("mail", f"{place} accepts connections")


class DatabaseChecks:
    """Checks of a database that accepts the login."""

    def __init__(self, target: Target, data_dir: Path, options: Options, pool: Pool):
        self._target = target
        self._data_dir = data_dir
        self._options = options
        self._pool = pool
        self._recorder = Recorder(pool)

    @property
    def checks(self) -> Sequence[Check]:
        """The checks in order; their names are those of the parts."""
        return (
            *(self.migrations, self.roles, self.projections, self.keys, self.leases),
            *(self.deliveries, self.publishers, self.clock),
        )

    async def migrations(self) -> list[Finding]:
        """Check that no step of the schema is missing."""
        await check_migrations(self._target)
        return _ok("migrations", "the schema is of this version")

    async def roles(self) -> list[Finding]:
        """Check that the login has the roles of its tasks."""
        async with open_connection(self._target) as connection:
            row = await connection.fetchrow(ROLES.lacking, list(self._options.roles))
        assert row is not None
        if not row["roles"]:
            return _ok("roles", f"{row['login']} has {', '.join(self._options.roles)}")
        lacking = ", ".join(row["roles"])
        remedy = f"GRANT {lacking} TO {row['login']}; (docs/database.md)"
        return _fail("roles", f"the login {row['login']} lacks {lacking}", remedy)

    async def projections(self) -> list[Finding]:
        """Check that this code made the rows of each projection, and that they follow the log."""
        head, findings = await self._recorder.head(), list[Finding]()
        for fold in await read_folds(self._pool, [make() for make in PROJECTIONS.values()]):
            part, position = f"projection {fold.projection}", fold.position
            if not fold.is_own:
                message = AnotherRelease([fold], USE_THAT_RELEASE).message
                remedy = "docs/operating/upgrade.md, Two releases on one database"
                findings += _fail(part, message, remedy)
                continue
            seconds = await self._recorder.age(position + 1)
            if fold.projection == Versions.name:
                report = Readiness(True, head, position, lag_seconds=seconds)
            else:  # it delays searches only
                report = Readiness(True, head, head, position, search_lag_seconds=seconds)
            problems = "; ".join(report.reasons + report.warnings)
            remedy = "Start a server (`tracker serve`), which projects; docs/operating/alerts.md"
            at = f"at position {position} of {head}"
            findings += _warned(part, filter(None, [problems]), remedy, at)
        return findings

    async def keys(self) -> list[Finding]:
        """Check that the keys are readable, and that they signed the newest checkpoint."""
        signing = settings.signing(self._data_dir)
        if signing is None:
            return _ok("keys", f"off: {TABLE['AUDIT_DIR'].variable} is not set")
        try:
            keys, set_back = signing.keystore.keys(), signing.keystore.set_back()
            newest = Note.parse((await ProofService(self._pool).last()).note.encode())
        except NotFound as error:
            return _ok("keys", f"nothing is signed yet: {error.message}")
        place, origin = signing.keystore.directory, signing.origin or keys.origin
        findings = _fail("keys", set_back, "docs/audit.md, Publisher") if set_back else []
        if origin != keys.origin:
            message = f"the keys in {place} are of the log {keys.origin}, not of {origin}"
            remedy = f"Correct {TABLE['LOG_ORIGIN'].variable} or {TABLE['AUDIT_DIR'].variable}"
            findings += _fail("keys", message, remedy)
        elif not newest.verified_by(keys.all):
            message = f"none of the keys in {place} signed the newest checkpoint of this log"
            remedy = "Restore the keys of this log from their copy (docs/audit.md, Keys)"
            findings += _fail("keys", message, remedy)
        return findings or _ok("keys", f"{place} has the keys of {keys.origin}")

    async def leases(self) -> list[Finding]:
        """Check which tasks have a process that does them."""
        held = {row["name"] for row in await self._pool.fetch(LEASES.held)}
        tasks = {MAIL_LEASE: self._options.mails, WATCH_LEASE: self._options.watches}
        findings: list[Finding] = []
        for name in sorted([DELIVERY_LEASE, *(name for name, is_on in tasks.items() if is_on)]):
            problems = ["no process holds it"] * (name not in held)
            remedy = "Start a server with this task (`tracker serve`)"
            findings += _warned(f"lease {name}", problems, remedy, "a process holds it")
        return findings

    async def deliveries(self) -> list[Finding]:
        """Check that endpoints receive events."""
        summary = await read_summary(self._pool)
        remedy = "docs/operating/alerts.md, TrackerEndpointsFail"
        active = f"active endpoints: {summary.active}"
        return _warned("deliveries", delivery_warnings(summary), remedy, active)

    async def publishers(self) -> list[Finding]:
        """Check that watched sources can be read."""
        summary = await WatchOverview(self._pool).summary()
        remedy = "docs/operating/monitor.md, Watched sources"
        watched = f"watched sources: {len(summary.sources)}"
        return _warned("publishers", summary.warnings, remedy, watched)

    async def clock(self) -> list[Finding]:
        """Compare the clock of this machine with the database's, and that with the newest event."""
        difference = await self._recorder.clock_difference()
        report = Readiness(True, clock_difference=difference)
        age = await self._recorder.age(await self._recorder.head())
        future = (f"the newest event was recorded {-age:.0f} seconds in the future",) * (age < -1)
        remedy = "Run NTP on both machines (`timedatectl`)"
        fine = f"{abs(difference):.1f} s from the database's"
        return _warned("clock", (*report.warnings, *future), remedy, fine)


async def examine_database(target: Target, data_dir: Path, options: Options) -> list[Finding]:
    """Return the findings about a database; without a connection only that."""
    try:
        async with open_connection(target) as connection:
            version = connection.get_server_version()
    except TrackerError as error:
        return _fail("database", error.message, "docs/database.md")
    except (*CONNECTION_ERRORS, TimeoutError) as error:
        message = describe_database_problem(error, target)
        return _fail("database", message, "docs/operating/alerts.md, TrackerDatabaseDown")
    name = f"PostgreSQL {version.major}.{version.minor} at {describe_target(target)}"
    findings = _ok("database", f"{name} accepts the login")
    async with open_pool(target, role=API, least=0, seconds=TIMEOUT_SECONDS) as pool:
        for check in DatabaseChecks(target, data_dir, options, pool).checks:
            findings += await guarded(check, target)
    return findings


async def guarded(check: Check, target: Target | None = None) -> list[Finding]:
    """Return the findings of a check, or one that fails if it cannot be completed."""
    part = check.__name__.removeprefix("check_")
    try:
        return await check()
    except TrackerError as error:
        return _fail(part, error.message, f"code {error.code}")
    except (*CONNECTION_ERRORS, TimeoutError) as error:
        message = describe_database_problem(error, target)
        return _fail(part, message, "Repair the parts above first")
