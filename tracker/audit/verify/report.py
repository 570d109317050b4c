"""The report of a verification: what was checked, with which key, when, and the result.

It is for people who file it and for programs that read it, with the same content as Markdown and as JSON.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from tracker.audit.format.signed_note import Verifier
from tracker.audit.verify.trust import TrustedCheckpoint
from tracker.audit.verify.verifier import Verification
from tracker.errors import Rejected, TrackerError

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069`]")


class KeySource(StrEnum):
    """The origin of the key that signatures are checked with."""

    GIVEN = "given"
    """The verifier supplied it."""
    AUDIT_DIRECTORY = "audit directory"
    """It was read from the tracker that signs, outside the database."""
    BUNDLE = "bundle"
    """It was read from the bundle, so the creator of the bundle could choose it."""


class Result(StrEnum):
    """The result of a verification."""

    VERIFIED = "verified"
    CONSISTENT = "consistent"
    """The log is consistent, but its key is not trusted."""
    REJECTED = "rejected"
    NOT_VERIFIED = "not_verified"
    """The log could not be read, which is not evidence against it."""


class TextCounts(msgspec.Struct, rename="camel"):
    """The numbers of texts that open their commitments, are redacted by the log, or are missing otherwise."""

    opened: int
    redacted: int
    missing: int


class SnapshotCounts(msgspec.Struct, rename="camel"):
    """The numbers of snapshots that match the fetch, are redacted by the log, or are missing otherwise."""

    intact: int
    redacted: int
    missing: int


class Report(msgspec.Struct, rename="camel", kw_only=True):
    """The findings of a verification. Many fields are null for a log that could not be read."""

    result: Result
    sentence: str
    exit_code: int
    code: str | None
    message: str | None
    first_bad_position: str | None
    last_bad_position: str | None
    log: str
    tool: str
    started_at: datetime
    finished_at: datetime
    key_source: KeySource | None
    trusted_keys: list[str]
    required_witnesses: list[str]
    origin: str | None = None
    size: str | None = None
    root: str | None = None
    checkpoint: str | None = None
    signed_by: list[str] = []
    last_recorded_at: datetime | None = None
    from_position: str | None = None
    saved_checkpoint_size: str | None = None
    kept_checkpoints: int | None = None
    kept_checkpoints_of_unknown_keys: int | None = None
    texts: TextCounts | None = None
    snapshots: SnapshotCounts | None = None
    not_checked: list[str]


@dataclass(slots=True)
class VerificationRun:
    """The state of a running verification: its subject and its findings so far."""

    log: str
    tool: str
    started_at: datetime
    witnesses: tuple[Verifier, ...] = ()
    keys: tuple[Verifier, ...] = ()
    key_source: KeySource | None = None
    saved: TrustedCheckpoint | None = None
    verification: Verification | None = None

    @property
    def proven(self) -> bool:
        """Whether the key comes from outside the verified data."""
        return self.key_source is not KeySource.BUNDLE


def report(
    run: VerificationRun, finished_at: datetime, error: TrackerError | None, exit_code: int
) -> Report:
    """Return the report of a run that has ended, with a result or an error."""
    positions = error.positions if isinstance(error, Rejected) else None
    return Report(
        result=_result(run, error),
        sentence=sentence(run, error),
        exit_code=exit_code,
        code=error.code if error else None,
        message=error.message if error else None,
        first_bad_position=str(positions[0]) if positions else None,
        last_bad_position=str(positions[-1]) if positions else None,
        log=run.log,
        tool=run.tool,
        started_at=run.started_at,
        finished_at=finished_at,
        key_source=run.key_source,
        trusted_keys=[str(key) for key in run.keys],
        required_witnesses=[str(key) for key in run.witnesses],
        saved_checkpoint_size=str(run.saved.size) if run.saved else None,
        not_checked=not_checked(run),
        **_log_findings(run.verification),
    )


def _log_findings(verification: Verification | None) -> dict[str, Any]:
    if verification is None:
        return {}
    head, texts, snapshots = verification.head, verification.texts, verification.snapshots
    return {
        "origin": head.checkpoint.origin,
        "size": str(head.size),
        "root": str(head.checkpoint).splitlines()[2],
        "checkpoint": head.note.decode(errors="replace"),
        "signed_by": [str(key) for key in head.signers],
        "last_recorded_at": verification.recorded_at,
        "from_position": str(verification.first),
        "kept_checkpoints": verification.known_heads.count,
        "kept_checkpoints_of_unknown_keys": verification.known_heads.unknown_signers,
        "texts": texts and TextCounts(texts.opened, texts.redacted, texts.missing),
        "snapshots": snapshots
        and SnapshotCounts(snapshots.intact, snapshots.redacted, len(snapshots.missing)),
    }


def _result(run: VerificationRun, error: TrackerError | None) -> Result:
    if error is not None:
        return Result.REJECTED if isinstance(error, Rejected) else Result.NOT_VERIFIED
    return Result.VERIFIED if run.proven else Result.CONSISTENT


def sentence(run: VerificationRun, error: TrackerError | None) -> str:
    """Return the result in a sentence."""
    if isinstance(error, Rejected):
        return f"The log is rejected: {error.message} ({error.code})."
    if error is not None or run.verification is None:
        return f"Nothing was verified: {error.message if error else 'the log was not read'}."
    verification = run.verification
    head, first = verification.head, verification.first
    events = (
        f"The events from position {first} to {head.size}"
        if first > 1
        else f"All {head.size} events"
    )
    signed = f"{events} of {head.checkpoint.origin} are those that were signed"
    if not run.proven:
        return (
            f"{signed} with the key in the bundle: the bundle is consistent, but nothing is proven about"
            " the origin of the log, which may have been replaced."
        )
    lost = verification.texts.missing if verification.texts else 0
    texts = f", and {lost} texts that they commit to are missing" if lost else ""
    gone = len(verification.snapshots.missing) if verification.snapshots else 0
    snapshots = f", and {gone} snapshots that they name are missing" if gone else ""
    return f"{signed} with a trusted key: none was altered, dropped, inserted or moved{texts}{snapshots}."


def not_checked(run: VerificationRun) -> list[str]:
    """Return the points that the verification did not check."""
    verification = run.verification
    points = {
        "the origin of the log: the only key was the one in the bundle": not run.proven,
        "the absence of a second, different log: only a checkpoint of an earlier visit (--state) or a"
        " witness shows it": not run.saved and not run.witnesses,
        f"the events before position {verification.first if verification else 1}, which an earlier visit"
        " verified": verification is not None and verification.first > 1,
        "the texts (notes and quotations) that entries commit to: they were not read": verification
        is not None
        and verification.texts is None,
        "the texts that are missing": bool(
            verification and verification.texts and verification.texts.missing
        ),
        "the documents of publishers that events name: they were not read": (
            verification is not None and verification.snapshots is None
        ),
        "the snapshots that are missing": bool(
            verification and verification.snapshots and verification.snapshots.missing
        ),
        "files without a signature: readme, key, schemas": True,
        "the clock of the server, except that recorded times never decrease": True,
        "the truth of the recorded facts: proofs show only that they were recorded": True,
    }
    return [point for point, holds in points.items() if holds]


def as_json(made: msgspec.Struct) -> str:
    """Return a report as a JSON object."""
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode()


def as_markdown(made: Report) -> str:
    """Return a report as a Markdown page."""
    lines = ["# Verification of a log", "", printable(made.sentence), "", *table(_facts(made))]
    if made.checkpoint:
        lines += code_block("The signed checkpoint:", made.checkpoint)
    return "\n".join([*lines, *bullets("Not checked", made.not_checked)]) + "\n"


def table(rows: Iterable[tuple[str, str | None]]) -> list[str]:
    """Return the lines of a table of names and values, without those that are None or empty."""
    present = [f"| {name} | `{printable(text)}` |" for name, text in rows if text]
    return ["| | |", "| --- | --- |", *present]


def bullets(title: str, points: Iterable[str]) -> list[str]:
    """Return the lines of a list with a title; none for an empty list."""
    items = [f"- {printable(point)};" for point in points]
    return ["", f"{title}:", "", *items[:-1], items[-1][:-1].rstrip(".") + "."] if items else []


def code_block(title: str, text: str) -> list[str]:
    """Return the lines of a title and a text that is shown as it is."""
    return ["", title, "", *("    " + printable(line) for line in text.splitlines())]


def _facts(made: Report) -> list[tuple[str, str | None]]:
    """Return the rows of the table: a name and a value, or None for a value that the report lacks."""
    texts = (
        None
        if made.texts is None
        else (
            f"{made.texts.opened} open their commitments, {made.texts.redacted} are redacted by the"
            f" log, {made.texts.missing} are missing"
        )
    )
    snapshots = (
        None
        if made.snapshots is None
        else (
            f"{made.snapshots.intact} are what was fetched, {made.snapshots.redacted} are redacted by the"
            f" log, {made.snapshots.missing} are missing"
        )
    )
    return [
        ("Result", made.result.replace("_", " ")),
        ("Code", made.code),
        ("First bad position", made.first_bad_position),
        ("Last bad position", made.last_bad_position),
        ("Subject of the check", made.log),
        ("Origin of the log", made.origin),
        ("Number of events", made.size),
        ("Root", made.root),
        ("Read from position", made.from_position),
        ("Last recorded", _moment(made.last_recorded_at)),
        ("Continues your checkpoint of size", made.saved_checkpoint_size),
        ("Kept checkpoints compared", _count(made.kept_checkpoints)),
        ("Of these signed by keys not named", _count(made.kept_checkpoints_of_unknown_keys)),
        ("Texts", texts),
        ("Snapshots", snapshots),
        ("Where the key comes from", made.key_source),
        *[("Trusted key", key) for key in made.trusted_keys],
        *[("Required witness", key) for key in made.required_witnesses],
        *[("Signed by", key) for key in made.signed_by],
        ("Begun", _moment(made.started_at)),
        ("Ended", _moment(made.finished_at)),
        ("Verified with", made.tool),
        ("Exit code", str(made.exit_code)),
    ]


def printable(text: str) -> str:
    """Return untrusted text for use in a line: without control characters and Markdown."""
    return UNPRINTABLE.sub("\ufffd", text).replace("|", "\\|")


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _count(count: int | None) -> str | None:
    return None if count is None else str(count)
