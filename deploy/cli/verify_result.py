"""The result of a verification, as text, as JSON and as a report."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from deploy.cli.common import print_whole
from deploy.cli.database_problem import describe_database_problem
from deploy.cli.process import Exit
from deploy.config import settings
from tracker import clock
from tracker.audit.bundle.files import report_path
from tracker.audit.verify.report import VerificationRun, as_json, as_markdown, report
from tracker.audit.verify.trust import TrustedCheckpoint
from tracker.audit.verify.verifier import Verification
from tracker.errors import TrackerError, Unavailable
from tracker.postgres.database import CONNECTION_ERRORS


class ResultOutput(Struct, frozen=True):
    """The form of a result, and the files that get it."""

    json: bool
    report: Path | None
    state: Path | None


def head_of(run: VerificationRun) -> TrustedCheckpoint:
    """Return the head of a verified log."""
    assert run.verification is not None
    return run.verification.head


@contextmanager
def report_result(run: VerificationRun, output: ResultOutput) -> Iterator[None]:
    """Print and store the result of a verification; save its head if the log is verified."""
    error: TrackerError | None = None
    try:
        yield
    except TrackerError as caught:
        error = caught
    except BrokenPipeError:
        raise  # the output is closed
    except CONNECTION_ERRORS as lost:
        error = Unavailable(
            describe_database_problem(lost, settings.database_target()), code="DATABASE_UNAVAILABLE"
        )
    code = Exit.REFUSED if error else Exit.OK
    if isinstance(error, Unavailable):
        code = Exit.UNAVAILABLE
    result = report(run, clock.now(), error, code)
    if output.report:
        replace_file(output.report, as_markdown(result).encode())
    if output.json:
        print_whole([as_json(result)])
    elif error is None:
        print_result(run)
    if error is not None:
        raise error
    if output.state:
        replace_file(output.state, head_of(run).note)


def print_result(run: VerificationRun) -> None:
    """Print the verified head, and the checks."""
    verification, head = run.verification, head_of(run)
    assert verification is not None
    print(
        f"{'verified' if run.proven else 'consistent'}: {head.size} events of"
        f" {head.checkpoint.origin}"
    )
    print(f"root: {str(head.checkpoint).splitlines()[2]}")
    for key in head.signers:
        print(f"signed by: {key}" + ("" if run.proven else " (the bundle's own key)"))
    if verification.recorded_at:
        print(f"last recorded: {verification.recorded_at.isoformat()}")
    if run.saved and run.saved.size > head.size:
        print(f"complete: all {run.saved.size} events of your checkpoint are there")
    elif run.saved:
        print(f"continues: your checkpoint of {run.saved.size} events")
    if verification.first > 1:
        print(f"read: from position {verification.first} on")
    if (known := verification.known_heads).count:
        print(
            f"kept checkpoints: {known.count}; {known.unknown_signers} of them are"
            " signed by keys you did not name"
        )
    print_texts(verification)
    print_snapshots(verification)


def print_texts(verification: Verification) -> None:
    """Print the number of texts that open their commitments, are redacted or are missing."""
    texts = verification.texts
    if texts is None:
        print("texts: not checked, not part of the files that were read")
        return
    missing = f", {texts.missing} are missing" if texts.missing else ""
    print(f"texts: {texts.opened} open their commitments, {texts.redacted} are redacted{missing}")


def print_snapshots(verification: Verification) -> None:
    """Print the number of snapshots that are intact, redacted or missing."""
    snapshots = verification.snapshots
    if snapshots is None:
        print("snapshots: not checked, excluded or not part of the files that were read")
        return
    missing = f", {len(snapshots.missing)} are missing" if snapshots.missing else ""
    print(
        f"snapshots: {snapshots.intact} are what was fetched, {snapshots.redacted} are redacted{missing}"
    )


def replace_file(path: Path, content: bytes) -> None:
    """Write or replace a file. Raises InvalidInput if the system refuses."""
    with report_path(path):
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(content)
        part.replace(path)
