"""`tracker verify`: check a log against its signature. docs/auditing.md is the guide."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from deploy.bootstrap import opened_pool
from deploy.cli.common import (
    DataDir,
    KeyOptions,
    WitnessOptions,
    is_web,
    report_errors,
    run_with_database,
    stderr,
)
from deploy.cli.trust import (
    AllowMissingSnapshots,
    AllowMissingTexts,
    ChosenKeys,
    TrustBundleKey,
    open_log,
    own_keys,
    read_keys,
    run_without_database,
    trust_in,
)
from deploy.cli.verify_receipts import ReceiptOptions, check_receipt_usage, verify_receipts
from deploy.cli.verify_result import ResultOutput, head_of, report_result
from deploy.config import settings
from deploy.output.progress import progress_bar
from deploy.postgres import default_data_dir
from projections.checks.row_check import check_all_rows
from tracker import clock
from tracker.audit.bundle.files import report_path
from tracker.audit.format.layout import LogFiles
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.verify.database_snapshots import DatabaseSnapshots
from tracker.audit.verify.database_source import DatabaseSource
from tracker.audit.verify.report import VerificationRun
from tracker.audit.verify.rows import DerivedRows, check_complete, covered
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.audit.verify.verifier import Verification
from tracker.domain.basics.text_rules import address_without_query
from tracker.errors import Rejected
from tracker.log.recorder import Recorder
from tracker.postgres.database import Pool, Target

PRODUCT = "critical-minerals-policy-tracker"
TOOL = f"{PRODUCT} {version(PRODUCT)}"


Log = Annotated[
    str | None,
    typer.Argument(
        metavar="[DIR|URL]",
        show_default=False,
        help="A bundle, or the address of a log, such as https://example.org/log.",
    ),
]
OfDatabase = Annotated[
    bool,
    typer.Option(
        "--database",
        help="Verify the rows of the database instead, by default with the keys in its directory.",
    ),
]
WithProjections = Annotated[
    bool,
    typer.Option(
        "--projections",
        help="With --database: also compare the projected rows with a new fold of their events, and "
        "name the first entity with a difference.",
    ),
]
State = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        show_default=False,
        help="The saved checkpoint of your last verification, which the log must continue. Updated "
        "after success; keep it.",
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="FILE|DIR|URL",
        show_default=False,
        help="With --database: a checkpoint, bundle or log from elsewhere. Lists positions that are "
        "missing in the database, as after a restore of an older backup.",
    ),
]
OnlyNew = Annotated[
    bool, typer.Option("--only-new", help="Read only the events after the checkpoint of --state.")
]
WithSnapshots = Annotated[
    bool,
    typer.Option(
        "--snapshots/--no-snapshots",
        help="Also check publishers' documents: in a bundle, beside a log at an address that ends with"
        " /log, or in the database and its directory.",
    ),
]
Receipts = Annotated[
    list[Path] | None,
    typer.Option(
        "--receipt",
        metavar="FILE",
        show_default=False,
        help="Verify the receipt of an answer: its signature, and with DIR or URL also that the events of "
        "this log give the answer. May be repeated.",
    ),
]
Authority = Annotated[
    Path | None,
    typer.Option(
        "--timestamp-authority",
        metavar="CERT",
        show_default=False,
        help="With --receipt: the certificate (PEM) of the authority whose timestamp each receipt must "
        "have.",
    ),
]
LogOption = Annotated[
    str | None,
    typer.Option(
        "--log",
        metavar="DIR|URL",
        show_default=False,
        help="With --receipt: the same as the argument DIR or URL.",
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print the result as a JSON object, even if the log is rejected."),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        show_default=False,
        help="Write a report (Markdown): checks, key, time, version, result, and omitted checks.",
    ),
]


class VerifyOptions(Struct, frozen=True):
    """The options of a verification, without those of its result."""

    state: Path | None
    only_new: bool
    allow_missing_texts: bool
    allow_missing_snapshots: bool
    with_snapshots: bool
    keys: list[str] | None


def verify(
    log: Log = None,
    receipts: Receipts = None,
    log_option: LogOption = None,
    of_database: OfDatabase = False,
    projections: WithProjections = False,
    keys: KeyOptions = None,
    trust_bundle_key: TrustBundleKey = False,
    state: State = None,
    against: Against = None,
    only_new: OnlyNew = False,
    witnesses: WitnessOptions = None,
    authority: Authority = None,
    allow_missing_texts: AllowMissingTexts = False,
    allow_missing_snapshots: AllowMissingSnapshots = False,
    with_snapshots: WithSnapshots = True,
    json: AsJson = False,
    report_to: ReportFile = None,
    data_dir: DataDir = None,
) -> None:
    """Verify a log: signature, every entry, every tile, the root, the texts, the snapshots.

    With --state it also checks that the log continues your saved checkpoint. With --receipt it verifies
    signed answers instead, in a temporary database.

    Exit codes: 0 verified, 1 rejected (with place and reason) or no key, 2 wrong usage, such as a
    missing path, 3 the log cannot be read.
    """
    if receipts:
        check_receipt_usage(log, log_option, of_database, state, against, only_new)
        check_report(report_to)
        receipt_options = ReceiptOptions(
            *(receipts, log or log_option, keys, trust_bundle_key, witnesses),
            *(allow_missing_texts, authority, json, report_to),
        )
        return verify_receipts(receipt_options, TOOL)
    check_usage(log, state, against, report_to, of_database=of_database, only_new=only_new)
    check_companions(of_database, projections, log_option, authority)
    options = VerifyOptions(
        state, only_new, allow_missing_texts, allow_missing_snapshots, with_snapshots, keys
    )
    output = ResultOutput(json, report_to, state)
    name = address_without_query(log) if log and is_web(log) else log
    run = VerificationRun(name or "the rows of the database", TOOL, clock.now())
    with report_errors():
        run.witnesses = read_keys(witnesses) if witnesses else ()

    if of_database:
        run_with_database(
            data_dir,
            lambda target: verify_rows(
                target, run, options, output, against, data_dir, projections=projections
            ),
        )
    else:
        run_without_database(
            lambda: verify_files(log or "", run, options, output, trust_bundle_key=trust_bundle_key)
        )


async def verify_rows(
    target: Target,
    run: VerificationRun,
    options: VerifyOptions,
    output: ResultOutput,
    against: str | None,
    data_dir: Path | None,
    *,
    projections: bool,
) -> None:
    """Verify the rows of a database, and if requested its projected rows."""
    async with opened_pool(target) as pool:
        with report_result(run, output), open_saved(against) as saved:
            size = await check_rows(pool, own_keys(options.keys, data_dir), saved, run, options)
            check_keystore(data_dir, head_of(run), size)
            if projections:
                await check_projection(pool, size)
    stderr.print(f"{size - head_of(run).size} events after that are not signed yet.")


async def verify_files(
    name: str,
    run: VerificationRun,
    options: VerifyOptions,
    output: ResultOutput,
    *,
    trust_bundle_key: bool,
) -> None:
    """Verify a bundle, or the log at an address."""
    with open_log(name, with_snapshots=options.with_snapshots) as log, report_result(run, output):
        chosen = await trust_in(log, options.keys, trust_bundle_key=trust_bundle_key)
        await check(log, chosen, run, options)


def check_usage(
    log: str | None,
    state: Path | None,
    against: str | None,
    report_to: Path | None,
    *,
    of_database: bool,
    only_new: bool,
) -> None:
    """Raise BadParameter for arguments that do not go together, before anything is read."""
    if (log is None) != of_database:
        raise typer.BadParameter("expected DIR, a URL, or --database")
    if only_new and state is None:
        raise typer.BadParameter("expected --state with --only-new")
    if against and (not of_database or state):
        raise typer.BadParameter("expected --database and no --state", param_hint="--against")
    check_report(report_to)


def check_companions(
    of_database: bool, projections: bool, log_option: str | None, authority: Path | None
) -> None:
    """Raise BadParameter for options without the option that they belong to."""
    if projections and not of_database:
        raise typer.BadParameter("expected --database", param_hint="--projections")
    if log_option or authority:
        hint = "--log" if log_option else "--timestamp-authority"
        raise typer.BadParameter("expected --receipt", param_hint=hint)


def check_report(report_to: Path | None) -> None:
    """Raise BadParameter for a report in a missing directory."""
    if report_to and not report_to.absolute().parent.is_dir():
        raise typer.BadParameter(f"{report_to}: there is no such directory", param_hint="--report")


async def check(
    source: DatabaseSource | LogFiles,
    chosen: ChosenKeys,
    run: VerificationRun,
    options: VerifyOptions,
) -> None:
    """Verify a log to its end. The result is in `run`."""
    trust = TrustPolicy(chosen.trust.keys, run.witnesses)
    run.keys, run.key_source = trust.keys, chosen.source
    if options.state:
        run.saved = read_state(options.state, trust)
    verification = run.verification = await Verification.begin(
        source,
        trust,
        run.saved,
        only_new=options.only_new,
        allow_missing_texts=options.allow_missing_texts,
        allow_missing_snapshots=options.allow_missing_snapshots,
        with_snapshots=options.with_snapshots,
    )
    with progress_bar(stderr) as bar:
        task = bar.add_task("verifying", total=verification.head.size)
        await verification.run(lambda done: bar.update(task, completed=done))


async def check_rows(
    pool: Pool,
    chosen: ChosenKeys,
    saved: Path | LogFiles | None,
    run: VerificationRun,
    options: VerifyOptions,
) -> int:
    """Verify the rows of a database, also against a stored checkpoint, and return their number."""
    snapshots = DatabaseSnapshots(pool, settings.snapshots()).read
    source = DatabaseSource(pool, snapshots if options.with_snapshots else None)
    trust = TrustPolicy(chosen.trust.keys)
    head = await saved_head(saved, trust) if saved else None
    if head:
        run.saved = await covered(source, trust, head)
    await check(source, chosen, run, options)
    size = await Recorder(pool).head()
    if head and run.verification:
        rows = DerivedRows(source, run.verification.frontier)
        elsewhere = saved if isinstance(saved, LogFiles) else None
        await check_complete(rows, size, head, elsewhere, trust)
        run.saved = head
    return size


async def check_projection(pool: Pool, size: int) -> None:
    """Compare the projected rows with a new fold. Raises RowsDiffer, AnotherRelease."""
    with progress_bar(stderr) as bar:
        task = bar.add_task("folding", total=size)
        entities, position = await check_all_rows(
            pool, lambda done: bar.update(task, completed=done)
        )
    stderr.print(f"rows: those of {entities} entities follow from their events up to {position}")


@contextmanager
def open_saved(name: str | None) -> Iterator[Path | LogFiles | None]:
    """Open the reference of a database: the file of a checkpoint, or its log."""
    if name and not is_web(name) and not Path(name).is_dir():
        yield Path(name)
    elif name:
        with open_log(name) as log:
            yield log
    else:
        yield None


async def saved_head(saved: Path | LogFiles, trust: TrustPolicy) -> TrustedCheckpoint:
    """Return the stored checkpoint. Raises Rejected, Unavailable, InvalidInput."""
    if isinstance(saved, LogFiles):
        return trust.verify_head(await saved.head(), "the checkpoint")
    with report_path(saved):
        return trust.verify_head(saved.read_bytes(), f"the checkpoint ({saved})")


def check_keystore(data_dir: Path | None, head: TrustedCheckpoint, size: int) -> None:
    """Check that a database has all events signed on this machine. Raises Rejected."""
    directory = settings.audit_dir(data_dir or default_data_dir())
    last = KeyStore(directory).head() if directory else None
    if last and last.size > size:
        raise Rejected(
            "SHRUNK",
            f"the log has {size} events, and a head of {last.size} was signed"
            " here: this is an older log, such as a restored backup",
            range(size + 1, last.size + 1),
        )
    if last and last.size == head.size and last.root != head.checkpoint.root:
        raise Rejected(
            "FORKED", f"another head of {last.size} events was signed here", range(1, last.size + 1)
        )


def read_state(path: Path, trust: TrustPolicy) -> TrustedCheckpoint | None:
    """Return the saved checkpoint; None before the first. Raises Rejected, InvalidInput."""
    with report_path(path):
        if not path.exists():
            return None
        return TrustPolicy(trust.keys).verify_head(
            path.read_bytes(), f"your saved checkpoint ({path})"
        )
