"""`tracker verify --receipt`: check signed answers, and derive them again from a copy of the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from msgspec import Struct

from deploy.bootstrap import migrate_log, open_connection, reading_tracker
from deploy.cli.common import fail, is_web, print_whole, report_errors, stderr
from deploy.cli.process import Exit, catch_signals, run
from deploy.cli.query import CLI_CALLER
from deploy.cli.receipt_checks import check_files, check_list, read_authority, receipt_errors
from deploy.cli.temporary_database import temporary_database, temporary_directory
from deploy.cli.trust import ChosenKeys, bundle_at, open_log, read_keys, trust_in
from deploy.cli.verify_result import replace_file
from deploy.output.progress import progress_bar
from deploy.postgres import PostgresError
from deploy.web.app import import_app_meanwhile, import_check
from projections.search_index.projection import SearchIndex
from projections.versions.projection import Versions
from tracker import clock
from tracker.audit.bundle.export import export
from tracker.audit.bundle.restore import restore
from tracker.audit.format.layout import BundleFiles, LogFiles
from tracker.audit.mirror.companions import copy_texts
from tracker.audit.receipts.report import ReceiptFindings, ReceiptRun, as_markdown, receipt_report
from tracker.audit.verify.report import KeySource, as_json
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.audit.verify.verifier import Verification
from tracker.domain.basics.text_rules import address_without_query
from tracker.errors import Rejected, TrackerError, Unavailable
from tracker.postgres.database import CONNECTION_ERRORS, Target


class ReceiptOptions(Struct, frozen=True):
    """The options of a verification of receipts."""

    files: list[Path]
    log: str | None
    keys: list[str] | None
    trust_bundle_key: bool
    witnesses: list[str] | None
    allow_missing_texts: bool
    timestamp_authority: Path | None
    json: bool
    report: Path | None


def check_receipt_usage(log: str | None, log_option: str | None, *others: object) -> None:
    """Raise BadParameter for options that do not go with receipts."""
    if (log and log_option) or any(others):
        raise typer.BadParameter(
            "expected DIR or URL once, and none of --database, --state, --against, --only-new",
            param_hint="--receipt",
        )


def verify_receipts(options: ReceiptOptions, tool: str) -> None:
    """Verify receipts; without a log, only their signatures and the texts of their answers."""
    catch_signals()
    found = [ReceiptFindings(str(file)) for file in options.files]
    log = options.log
    name = address_without_query(log) if log and is_web(log) else log
    receipts = ReceiptRun(name, tool, clock.now(), found)
    with temporary_directory() as directory, report_receipts(receipts, options):
        verification = run(begin(receipts, options, directory))
        if verification is None or not receipts.pending:
            return
        import_app_meanwhile()
        with temporary_database(directory) as database:
            run(database.run_while_alive(check_answers(database.target, verification, receipts)))


async def begin(
    receipts: ReceiptRun, options: ReceiptOptions, directory: Path
) -> Verification | None:
    """Check the receipts themselves, and begin the verification of the log, if one is given."""
    if options.log is None:
        if not options.keys:
            fail(
                "expected --key: the key of the log, which you have from elsewhere (NO_KEY)",
                Exit.REFUSED,
            )
        check_alone(
            receipts, options, ChosenKeys(TrustPolicy(read_keys(options.keys)), KeySource.GIVEN)
        )
        return None
    if not is_web(options.log):
        bundle = bundle_at(Path(options.log))
        chosen = await trust_in(bundle, options.keys, trust_bundle_key=options.trust_bundle_key)
        check_alone(receipts, options, chosen)
    else:
        with open_log(options.log) as log:
            chosen = await trust_in(log, options.keys)
            check_alone(receipts, options, chosen)
            bundle = await copy_log(log, chosen.trust, directory / "bundle")
    claims = [one.checkpoint for one in receipts.pending if one.checkpoint]
    with log_errors(receipts):
        verification = await Verification.begin(
            bundle,
            chosen.trust,
            allow_missing_texts=options.allow_missing_texts,
            with_snapshots=False,
            claims=claims,
        )
        for one in receipts.pending:
            with receipt_errors(one):
                check_reaches(verification.head, one)
        return verification
    return None


def check_alone(receipts: ReceiptRun, options: ReceiptOptions, chosen: ChosenKeys) -> None:
    """Check the receipts without the log."""
    receipts.keys, receipts.key_source = chosen.trust.keys, chosen.source
    receipts.witnesses = read_keys(options.witnesses) if options.witnesses else ()
    trust = TrustPolicy(chosen.trust.keys, receipts.witnesses)
    check_files(receipts, options.files, trust, read_authority(options.timestamp_authority))


async def copy_log(log: LogFiles, trust: TrustPolicy, directory: Path) -> BundleFiles:
    """Copy the log at an address with its texts, without snapshots, which no answer contains."""

    async def texts(head: TrustedCheckpoint) -> None:
        await copy_texts(log, directory, head.size)

    with progress_bar(stderr) as bar:
        task = bar.add_task("copying", total=None)
        await export(
            log,
            trust,
            directory,
            {},
            lambda done, size: bar.update(task, completed=done, total=size),
            beside=texts,
            allow_missing_texts=True,
            allow_missing_snapshots=True,
        )
    return BundleFiles(directory)


def check_reaches(head: TrustedCheckpoint, one: ReceiptFindings) -> None:
    """Check that a log is long enough for a receipt. Raises Rejected."""
    assert one.checkpoint is not None
    claimed = one.checkpoint.checkpoint
    if head.size < claimed.size:
        raise Rejected(
            "SHRUNK",
            f"the log has {head.size} events, the checkpoint of the receipt {claimed.size}: the copy is"
            " older than the receipt, or events were removed",
            range(head.size + 1, claimed.size + 1),
        )


async def check_answers(target: Target, verification: Verification, receipts: ReceiptRun) -> None:
    """Restore the verified log, and derive the answers of the receipts from it."""
    await migrate_log(target)
    with progress_bar(stderr) as bar, log_errors(receipts):
        task = bar.add_task("verifying", total=verification.head.size)
        async with open_connection(target) as connection:
            await restore(connection, verification, lambda done: bar.update(task, completed=done))
        receipts.head = verification.head
        for one in receipts.pending:
            with receipt_errors(one):
                check_root(verification, one)
    if not receipts.pending:
        return
    projections = [Versions.name]
    documents = [
        one.receipt.statement.operation.document for one in receipts.pending if one.receipt
    ]
    if any("search" in document for document in documents):
        projections.append(SearchIndex.name)
    async with reading_tracker(target, projections) as services:
        check = import_check()(services, CLI_CALLER)
        for one in receipts.pending:
            assert one.receipt is not None
            with receipt_errors(one):
                await check.check(one.receipt, one)
    for findings in receipts.lists:
        if any(one.receipt and one.receipt.statement.answer_omitted for one in findings):
            check_list(findings)


def check_root(verification: Verification, one: ReceiptFindings) -> None:
    """Check that the log continues the checkpoint of a receipt. Raises Rejected.

    Logs of two names may begin with the same events, such as the shipped ones.
    """
    assert one.checkpoint is not None
    size, origin = one.checkpoint.size, one.checkpoint.checkpoint.origin
    if verification.known_heads.claimed_roots.get(size) != one.checkpoint.checkpoint.root:
        if origin != (other := verification.head.checkpoint.origin):
            raise Rejected(
                "WRONG_ORIGIN",
                f"the receipt is of {origin!r}, and {other!r} has other events: name a copy of the log of"
                " the receipt",
            )
        raise Rejected(
            "FORKED",
            f"the log has other events than the checkpoint of the receipt, of {size} events: both are"
            " signed",
            range(1, size + 1),
        )
    one.checks.append(f"the log continues the checkpoint of the receipt, of {size} events")


@contextmanager
def log_errors(receipts: ReceiptRun) -> Iterator[None]:
    """Record the fault of the log for all receipts that have none."""
    try:
        yield
    except Rejected as error:
        for one in receipts.pending:
            one.error = error


@contextmanager
def report_receipts(receipts: ReceiptRun, options: ReceiptOptions) -> Iterator[None]:
    """Print and store the results, and exit with their code."""
    fault: TrackerError | None = None
    try:
        yield
    except (TrackerError, PostgresError, *CONNECTION_ERRORS) as caught:
        fault = caught if isinstance(caught, TrackerError) else Unavailable(str(caught))
        for one in receipts.pending:
            one.error = fault
    code = Exit.REFUSED if any(one.error for one in receipts.findings) else Exit.OK
    if isinstance(fault, Unavailable):
        code = Exit.UNAVAILABLE
    made = receipt_report(receipts, clock.now(), code)
    with report_errors():
        if options.report:
            replace_file(options.report, as_markdown(made).encode())
    if options.json:
        print_whole([as_json(made)])
    for result in made.receipts:
        line = f"{result.result.replace('_', ' ')}: {result.file}: {result.sentence}"
        if result.code:
            stderr.print(line, style="red", markup=False)
        elif not options.json:
            print_whole([line, *(f"  {remark}" for remark in result.remarks)])
    if code:
        raise typer.Exit(code)
