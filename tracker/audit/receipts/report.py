"""The report of a verification of receipts: for people who file it and for programs that read it."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from tracker.audit.format.signed_note import Verifier
from tracker.audit.receipts.receipt import Receipt
from tracker.audit.verify.report import KeySource, Result, bullets, code_block, printable, table
from tracker.audit.verify.trust import TrustedCheckpoint
from tracker.errors import Rejected, TrackerError

STATED = (
    *("origin", "issued_at", "software", "derivation", "answer_sha256", "answer_omitted"),
    "checkpoint",
)
TREES = ("operation", "moments")
"""Members of a statement that a result repeats; those of `TREES` as plain values."""
NOT_PROVEN = (
    "the truth of the recorded facts: proofs show only that they were recorded and how the answer follows",
    "the absence of unrecorded acts: the completeness states which lists were read",
    "the legal situation: the answer is not legal advice",
)


@dataclass(slots=True)
class ReceiptFindings:
    """The findings about one receipt so far."""

    file: str
    receipt: Receipt | None = None
    checkpoint: TrustedCheckpoint | None = None
    error: TrackerError | None = None
    checks: list[str] = field(default_factory=list)
    """Successful checks, in order."""
    remarks: list[str] = field(default_factory=list)
    answer_sha256: str | None = None
    """The digest of the derived answer."""
    derived_answer: bytes | None = None
    """The derived answer as JSON."""
    timestamp: datetime | None = None
    """The time at which the receipt existed, by a timestamp authority."""


@dataclass(slots=True)
class ReceiptRun:
    """The state of a running verification: its subject and its findings so far."""

    log: str | None
    """The log, or None if only signatures are verified."""
    tool: str
    started_at: datetime
    findings: list[ReceiptFindings]
    lists: list[list[ReceiptFindings]] = field(default_factory=list)
    """The findings of each file: of its lines, in order."""
    witnesses: tuple[Verifier, ...] = ()
    keys: tuple[Verifier, ...] = ()
    key_source: KeySource | None = None
    head: TrustedCheckpoint | None = None
    """The verified head of the log."""

    @property
    def pending(self) -> list[ReceiptFindings]:
        """The receipts without a fault."""
        return [one for one in self.findings if one.error is None]


class ReceiptResult(msgspec.Struct, rename="camel", kw_only=True):
    """The result for one receipt. Fields of a receipt that cannot be parsed are null."""

    file: str
    result: Result
    sentence: str
    code: str | None
    message: str | None
    origin: str | None = None
    issued_at: datetime | None = None
    software: str | None = None
    derivation: int | None = None
    operation: dict[str, Any] | None = None
    moments: list[dict[str, Any]] = []
    answer_sha256: str | None = None
    derived_answer_sha256: str | None = None
    answer_omitted: bool | None = None
    timestamp: datetime | None = None
    checkpoint: str | None = None
    signed_by: list[str] = []
    checks: list[str] = []
    remarks: list[str] = []


class ReceiptReport(msgspec.Struct, rename="camel", kw_only=True):
    """The results of a verification of receipts."""

    result: Result
    exit_code: int
    log: str | None
    log_size: str | None
    log_root: str | None
    tool: str
    started_at: datetime
    finished_at: datetime
    key_source: KeySource | None
    trusted_keys: list[str]
    required_witnesses: list[str]
    receipts: list[ReceiptResult]
    not_proven: list[str]


def receipt_report(run: ReceiptRun, finished_at: datetime, exit_code: int) -> ReceiptReport:
    """Return the report of a run that has ended."""
    results = [_result(run, one) for one in run.findings]
    order = (Result.REJECTED, Result.NOT_VERIFIED, Result.CONSISTENT, Result.VERIFIED)
    head = run.head.checkpoint if run.head else None
    return ReceiptReport(
        result=min((one.result for one in results), key=order.index),
        exit_code=exit_code,
        log=run.log,
        log_size=str(head.size) if head else None,
        log_root=str(head).splitlines()[2] if head else None,
        tool=run.tool,
        started_at=run.started_at,
        finished_at=finished_at,
        key_source=run.key_source,
        trusted_keys=[str(key) for key in run.keys],
        required_witnesses=[str(key) for key in run.witnesses],
        receipts=results,
        not_proven=_not_proven(run),
    )


def _not_proven(run: ReceiptRun) -> list[str]:
    points = {
        "the answer: no log was given, so only signatures and the text of the answer were checked": (
            run.log is None
        ),
        "the origin of the log: the only key was the one in the bundle": (
            run.key_source is KeySource.BUNDLE
        ),
        "the time of issue: it is from the clock of the server": not all(
            one.timestamp for one in run.findings
        ),
        "the absence of a second, different log: only a required witness shows it": not run.witnesses,
    }
    return [*(point for point, holds in points.items() if holds), *NOT_PROVEN]


def _result(run: ReceiptRun, found: ReceiptFindings) -> ReceiptResult:
    statement = found.receipt.statement if found.receipt else None
    result = _outcome(run, found)
    return ReceiptResult(
        file=found.file,
        result=result,
        sentence=_sentence(run, found, result),
        code=found.error.code if found.error else None,
        message=found.error.message if found.error else None,
        checks=found.checks,
        remarks=found.remarks,
        derived_answer_sha256=found.answer_sha256,
        timestamp=found.timestamp,
        signed_by=[str(key) for key in found.checkpoint.signers] if found.checkpoint else [],
        **{name: getattr(statement, name) for name in STATED if statement},
        **{name: msgspec.to_builtins(getattr(statement, name)) for name in TREES if statement},
    )


def _outcome(run: ReceiptRun, found: ReceiptFindings) -> Result:
    if found.error is not None:
        return Result.REJECTED if isinstance(found.error, Rejected) else Result.NOT_VERIFIED
    proven = run.log is not None and run.key_source is not KeySource.BUNDLE
    return Result.VERIFIED if proven else Result.CONSISTENT


def _sentence(run: ReceiptRun, found: ReceiptFindings, result: Result) -> str:
    if found.error is not None:
        verdict = "is rejected" if result is Result.REJECTED else "was not verified"
        return f"The receipt {verdict}: {found.error.message} ({found.error.code})."
    assert found.receipt is not None
    statement = found.receipt.statement
    days = ", ".join(
        f"{moment.valid_at} as recorded at position {moment.position}"
        for moment in statement.moments
    )
    if run.log is None:
        return (
            f"{statement.origin} signed this answer as of {days}. The answer was not derived again:"
            " add a copy of the log as an argument."
        )
    return (
        f"{statement.origin} signed this answer as of {days}. The first"
        f" {statement.last_position} events of the log give the same answer."
    )


def as_markdown(made: ReceiptReport) -> str:
    """Return a report as a Markdown page."""
    lines = [
        "# Verification of an answer" if len(made.receipts) == 1 else "# Verification of answers"
    ]
    for result in made.receipts:
        lines += ["", f"## {printable(result.file)}", "", printable(result.sentence)]
        lines += ["", *table(_facts(result))]
        lines += bullets("Checked", result.checks) + bullets("Remarks", result.remarks)
        if result.operation:
            lines += code_block("The query:", result.operation["document"])
        if result.operation and (variables := result.operation["variables"]):
            text = json.dumps(variables, indent=1, ensure_ascii=False)
            lines += code_block("Its variables:", text)
        if result.checkpoint:
            lines += code_block("The signed checkpoint:", result.checkpoint)
    lines += ["", "## Verification", "", *table(_run_facts(made))]
    return "\n".join([*lines, *bullets("Not proven", made.not_proven)]) + "\n"


def _facts(result: ReceiptResult) -> list[tuple[str, str | None]]:
    """Return the rows of the table of a receipt."""
    omitted = "omitted: it needed a token" if result.answer_omitted else "in the file"
    return [
        ("Result", result.result.replace("_", " ")),
        ("Code", result.code),
        ("Origin of the log", result.origin),
        *[("Effective date", moment["validAt"]) for moment in result.moments],
        *[("Recorded up to position", moment["position"]) for moment in result.moments],
        *[("Completeness", moment["completeness"]) for moment in result.moments],
        ("Issued (clock of the server)", result.issued_at and result.issued_at.isoformat()),
        ("Issued before (timestamp authority)", result.timestamp and result.timestamp.isoformat()),
        ("Issued by", result.software),
        ("Derivation version", None if result.derivation is None else str(result.derivation)),
        ("Answer", None if result.answer_omitted is None else omitted),
        ("SHA-256 of the signed answer", result.answer_sha256),
        ("SHA-256 of the derived answer", result.derived_answer_sha256),
        *[("Signed by", key) for key in result.signed_by],
    ]


def _run_facts(made: ReceiptReport) -> list[tuple[str, str | None]]:
    """Return the rows of the table of the verification."""
    return [
        ("Result of all receipts", made.result.replace("_", " ")),
        ("Log", made.log),
        ("Number of events of the log", made.log_size),
        ("Root of the log", made.log_root),
        ("Origin of the key", made.key_source),
        *[("Trusted key", key) for key in made.trusted_keys],
        *[("Required witness", key) for key in made.required_witnesses],
        ("Begun", made.started_at.isoformat()),
        ("Ended", made.finished_at.isoformat()),
        ("Verified with", made.tool),
        ("Exit code", str(made.exit_code)),
    ]
