"""The check of a receipt against a restored log: its states and its answer are derived again.

Faults are raised as Rejected. The codes:

    WRONG_STATE        the events give another state
    WRONG_ANSWER       the query has another answer
    REDACTED           another answer, but events after the receipt redact texts, which can explain it
    OTHER_DERIVATION   another answer, and the receipt has another derivation version
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

from projections.query.moment import Moment
from schema.execution.execute import QUERIES
from schema.execution.response_cache import Answer, QueryRequest, ResponseCache
from schema.receipts.derivation import DERIVATION, changes_between
from schema.receipts.issuer import answer_digest, schema_digest, software
from schema.receipts.moment_records import moment_record
from schema.services import Access, Services
from tracker.audit.receipts.receipt import Receipt
from tracker.audit.receipts.report import ReceiptFindings
from tracker.audit.receipts.statement import MomentRecord, Statement
from tracker.auth.scopes import Caller
from tracker.domain.entities.redaction import REDACTED_TYPE
from tracker.errors import Rejected, Unavailable

TEMPORARY_ERRORS = ("TIMEOUT", "UNAVAILABLE", "SEARCH_NOT_READY")


class AnswerCheck:
    """Checks receipts against one restored log."""

    def __init__(self, services: Services, caller: Caller):
        self._services = services
        self._caller = caller
        self._answers = ResponseCache(services, Access())

    async def check(self, receipt: Receipt, findings: ReceiptFindings) -> None:
        """Derive states and answer again, and compare them. Raises Rejected and Unavailable."""
        statement = receipt.statement
        findings.remarks += _remarks(statement)
        wrong_state = await self._wrong_state(statement, findings)
        answer, problem = await self._execute(statement)
        findings.answer_sha256 = await answer_digest(answer) if answer else None
        if findings.answer_sha256 != statement.answer_sha256:
            raise await self._wrong_answer(statement, findings, problem)
        findings.checks.append("the query, executed on these events, gives the signed answer")
        if wrong_state is None:
            return
        if statement.derivation == DERIVATION:
            raise wrong_state
        findings.remarks.append(
            "The answer is the same. The state differs, because the receipt has another derivation version."
        )

    async def _wrong_state(
        self, statement: Statement, findings: ReceiptFindings
    ) -> Rejected | None:
        """Return the fault of the first moment with another state or completeness; None without one."""
        for claimed in statement.moments:
            derived = await moment_record(
                self._services.as_of, Moment(claimed.valid_at, claimed.at)
            )
            for difference in _differences(claimed, derived):
                return Rejected(
                    "WRONG_STATE",
                    f"the events up to position {claimed.position} give another {difference}",
                )
            if derived.state_format == claimed.state_format:
                findings.checks.append(
                    f"the events up to position {claimed.position} give the signed digest of the state of"
                    f" {claimed.valid_at}"
                )
            else:
                findings.remarks.append(
                    f"The state of {claimed.valid_at} was not compared: the receipt has state format"
                    f" {claimed.state_format}, this release {derived.state_format}."
                )
        return None

    async def _execute(self, statement: Statement) -> tuple[Answer | None, str]:
        """Return the answer, or None and its first error. Raises Unavailable for a temporary one."""
        operation = statement.operation
        request = QueryRequest(
            operation.document, operation.variables, operation.operation_name, self._caller
        )
        answer = await self._answers.answer(request, QUERIES, nullcontext())
        if isinstance(answer, Answer):
            return answer, ""
        error: dict[str, Any] = answer["errors"][0]
        if error.get("extensions", {}).get("code") in TEMPORARY_ERRORS:
            raise Unavailable(f"the query of the receipt was not executed: {error['message']}")
        return None, f" (the query fails: {error['message']})"

    async def _wrong_answer(
        self, statement: Statement, findings: ReceiptFindings, problem: str
    ) -> Rejected:
        """Return the fault of a different answer."""
        own = findings.answer_sha256 or "no answer"
        difference = (
            f"the events give another answer: the receipt has the SHA-256 {statement.answer_sha256},"
            f" this release derives {own}{problem}"
        )
        if statement.derivation != DERIVATION:
            return Rejected("OTHER_DERIVATION", f"{difference}. {other_release(statement)}")
        size = await self._services.recorder.head()
        issued = int(statement.checkpoint.split("\n")[1])
        if count := await self._services.recorder.count(issued, size + 1, [REDACTED_TYPE]):
            return Rejected(
                "REDACTED",
                f"{difference}. {count} events after the receipt redact texts, so the answer can be"
                " neither confirmed nor refuted: an older copy of the log with the texts decides",
            )
        return Rejected("WRONG_ANSWER", difference)


def other_release(statement: Statement) -> str:
    """Return the release that verifies a receipt of another derivation, in sentences."""
    changes = " ".join(
        f"Version {version.number}: {version.reason}"
        for version in changes_between(statement.derivation, DERIVATION)
    )
    return (
        f"The receipt has derivation version {statement.derivation}, this release"
        f" {DERIVATION}. Verify it with {statement.software}. {changes}".strip()
    )


def _differences(claimed: MomentRecord, derived: MomentRecord) -> Iterator[str]:
    if (
        derived.state_format == claimed.state_format
        and derived.state_digest != claimed.state_digest
    ):
        yield (
            f"state of {claimed.valid_at}: the receipt has the digest {claimed.state_digest}, the"
            f" events give {derived.state_digest}"
        )
    if derived.completeness != claimed.completeness:
        yield f"completeness of {claimed.valid_at}: {derived.completeness!r}"


def _remarks(statement: Statement) -> Iterator[str]:
    """Yield remarks about differences between releases."""
    if statement.derivation != DERIVATION:
        yield (
            f"The receipt has derivation version {statement.derivation}, this release {DERIVATION}"
            f" ({software()})."
        )
    if statement.schema_sha256 != schema_digest():
        yield "The schema has changed since the receipt; the query was executed on the present one."
