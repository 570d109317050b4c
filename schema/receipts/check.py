"""The check of a receipt against a restored log: its states and its answer are derived again.

Faults are raised as Rejected. The codes:

    NOT_FIXED          the query does not fix its moments
    WRONG_MOMENT       the query has other moments
    WRONG_STATE        the events give another state
    WRONG_ANSWER       the query has another answer
    REDACTED           another answer, only because a text of it was redacted after the receipt
    OTHER_DERIVATION   another answer, and the receipt has another derivation version
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import nullcontext
from copy import copy
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import orjson

from projections.query.moment import Moment
from schema.execution.execute import QUERIES
from schema.execution.response_cache import Answer, QueryRequest, ResponseCache
from schema.receipts.derivation import DERIVATION, changes_between
from schema.receipts.issuer import answer_digest, schema_digest, software
from schema.receipts.moment_records import moment_record
from schema.receipts.operations import check_moments, response_names
from schema.services import Access, Services
from tracker.audit.receipts.receipt import Receipt
from tracker.audit.receipts.report import ReceiptFindings
from tracker.audit.receipts.statement import MomentRecord, StatementV1
from tracker.auth.scopes import Caller
from tracker.domain.entities.redaction import REDACTED_TYPE
from tracker.errors import Rejected, Unavailable
from tracker.log.annexes import Annexes, StoredAnnex

REDACTIONS = frozenset({"redaction", "redactions"})
"""Fields that a redaction fills."""
TEMPORARY_ERRORS = ("TIMEOUT", "UNAVAILABLE", "SEARCH_NOT_READY")


class AnswerCheck:
    """Checks receipts against one restored log."""

    def __init__(self, services: Services, caller: Caller):
        recorder = copy(services.recorder)
        self._annexes = recorder.annexes = NotingAnnexes(services.recorder.annexes.pool)
        self._services = replace(services, recorder=recorder)
        self._caller = caller
        self._answers = ResponseCache(self._services, Access(), most_bytes=0)

    async def check(self, receipt: Receipt, findings: ReceiptFindings) -> None:
        """Derive states and answer again, and compare them. Raises Rejected and Unavailable."""
        statement = receipt.statement
        findings.remarks += _remarks(statement)
        wrong_state = await self._wrong_state(statement, findings)
        self._annexes.redacted_at = 0
        answer, problem = await self._execute(statement)
        if answer:
            if not answer.immutable:
                raise Rejected("NOT_FIXED", "the query does not fix all of its dates and positions")
            check_moments(statement, [(one.valid_at, one.position) for one in answer.moments])
            findings.answer_sha256 = await answer_digest(answer)
            findings.derived_answer = answer.data
        if answer is None or findings.answer_sha256 != statement.answer_sha256:
            raise await self._wrong_answer(receipt, findings, answer, problem)
        findings.checks.append("the query, executed on these events, gives the signed answer")
        if wrong_state is None:
            return
        if statement.derivation == DERIVATION:
            raise wrong_state
        findings.remarks.append(
            "The answer is the same. The state differs, because the receipt has another derivation version."
        )

    async def _wrong_state(
        self, statement: StatementV1, findings: ReceiptFindings
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

    async def _execute(self, statement: StatementV1) -> tuple[Answer | None, str]:
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
        self, receipt: Receipt, findings: ReceiptFindings, answer: Answer | None, problem: str
    ) -> Rejected:
        """Return the fault of a different answer."""
        statement = receipt.statement
        own = findings.answer_sha256 or "no answer"
        difference = (
            f"the events give another answer: the receipt has the SHA-256 {statement.answer_sha256},"
            f" this release derives {own}{problem}"
        )
        if statement.derivation != DERIVATION:
            return Rejected("OTHER_DERIVATION", f"{difference}. {other_release(statement)}")
        if answer and await self._is_explained(receipt, orjson.loads(answer.data)):
            return Rejected(
                "REDACTED",
                f"{difference}. A text of this answer was redacted after the receipt, so the answer can be"
                " neither confirmed nor refuted: an older copy of the log with the texts decides",
            )
        return Rejected("WRONG_ANSWER", difference)

    async def _is_explained(self, receipt: Receipt, derived: Any) -> bool:
        """Return whether redactions after a receipt can explain that the derived answer differs."""
        statement, recorder = receipt.statement, self._services.recorder
        issued = int(statement.checkpoint.split("\n")[1])
        names = response_names(statement.operation.document)
        if "search" in names:  # a search reads texts that its answer does not contain
            return await recorder.count(issued, await recorder.head() + 1, [REDACTED_TYPE]) > 0
        if self._annexes.redacted_at <= issued or statement.answer_omitted:
            return self._annexes.redacted_at > issued
        keys = frozenset[str]().union(*(names.get(name, ()) for name in REDACTIONS))
        others = frozenset[str]().union(
            *(keys for name, keys in names.items() if name not in REDACTIONS)
        )
        return differs_by_redaction(receipt.answer, derived, keys - others)


class NotingAnnexes(Annexes):
    """Annexes that note the position of the newest redaction of a text that was read."""

    redacted_at = 0

    async def by_commitment(self, commitments: Collection[str]) -> dict[str, StoredAnnex]:
        """Return the annexes of some commitments."""
        annexes = await super().by_commitment(commitments)
        self._note(annexes.values())
        return annexes

    async def by_position(self, positions: Collection[int]) -> dict[int, list[StoredAnnex]]:
        """Return the annexes of the events at some positions, by position."""
        annexes = await super().by_position(positions)
        self._note(chain.from_iterable(annexes.values()))
        return annexes

    def _note(self, annexes: Iterable[StoredAnnex]) -> None:
        redactions = [annex.redaction.position for annex in annexes if annex.redaction]
        self.redacted_at = max([self.redacted_at, *redactions])


def differs_by_redaction(signed: Any, derived: Any, redactions: Collection[str]) -> bool:
    """Return whether two answers differ only where a text became null, or a redaction was added.

    `redactions` are the names of members with redactions in the answers.
    """
    match signed, derived:
        case dict(), dict() if signed.keys() == derived.keys():
            return all(
                name in redactions or differs_by_redaction(part, derived[name], redactions)
                for name, part in signed.items()
            )
        case list(), list() if len(signed) == len(derived):
            return all(map(differs_by_redaction, signed, derived, repeat(redactions)))
        case str(), None:
            return True
    return bool(signed == derived)


def other_release(statement: StatementV1) -> str:
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


def _remarks(statement: StatementV1) -> Iterator[str]:
    """Yield remarks about differences between releases."""
    if statement.derivation != DERIVATION:
        yield (
            f"The receipt has derivation version {statement.derivation}, this release {DERIVATION}"
            f" ({software()})."
        )
    if statement.schema_sha256 != schema_digest():
        yield "The schema has changed since the receipt; the query was executed on the present one."
