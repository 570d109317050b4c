"""Checks of receipts that need no log: signatures, texts of answers, pages of lists, timestamps."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tracker.audit.bundle.files import report_path
from tracker.audit.receipts.pages import check_pages, split_receipts
from tracker.audit.receipts.receipt import MAX_RECEIPT_BYTES, Receipt
from tracker.audit.receipts.report import ReceiptFindings, ReceiptRun
from tracker.audit.receipts.timestamp import WRONG_TIMESTAMP, AuthorityCertificates
from tracker.audit.verify.trust import TrustPolicy
from tracker.errors import Rejected


def check_files(
    receipts: ReceiptRun,
    files: Sequence[Path],
    trust: TrustPolicy,
    authority: AuthorityCertificates | None,
) -> None:
    """Check the receipts in files: signatures, texts of answers, and timestamps.

    The findings of the run are replaced: a file with several receipts has findings for each line.
    """
    all_findings: list[ReceiptFindings] = []
    for file in files:
        lines = split_receipts(read_receipts(file))
        findings = [
            ReceiptFindings(str(file) if len(lines) == 1 else f"{file}, line {number}")
            for number in range(1, len(lines) + 1)
        ]
        all_findings += findings
        for one, line in zip(findings, lines, strict=True):
            with receipt_errors(one):
                check_receipt(one, Receipt.parse(line), trust, authority)
        check_list(findings)
        receipts.lists.append(findings)
    receipts.findings[:] = all_findings


def read_receipts(path: Path) -> bytes:
    """Read a file of receipts, up to the largest size. Raises InvalidInput."""
    with report_path(path), path.open("rb") as file:
        return file.read(MAX_RECEIPT_BYTES + 1)


def read_authority(file: Path | None) -> AuthorityCertificates | None:
    """Read the certificates of a timestamp authority. Raises InvalidInput."""
    if file is None:
        return None
    with report_path(file):
        return AuthorityCertificates.parse(file.read_bytes())


def check_receipt(
    one: ReceiptFindings,
    receipt: Receipt,
    trust: TrustPolicy,
    authority: AuthorityCertificates | None,
) -> None:
    """Check a receipt, and note the successful checks. Raises Rejected."""
    from schema.receipts.operations import check_operation  # late: it imports GraphQL

    one.receipt = receipt
    one.checkpoint = receipt.verify(trust)
    one.checks.append("a trusted key signed the statement and its checkpoint")
    if trust.witnesses:
        one.checks.append("the required witnesses signed the checkpoint")
    if not receipt.statement.answer_omitted:
        one.checks.append("the answer in the file is the signed one")
    if remark := check_operation(receipt.statement):
        one.remarks.append(remark)
    if authority is not None:
        check_timestamp(one, receipt, authority)
    elif receipt.timestamp is not None:
        one.remarks.append("The timestamp was not checked: name the certificate of its authority.")


def check_timestamp(
    one: ReceiptFindings, receipt: Receipt, authority: AuthorityCertificates
) -> None:
    """Check the timestamp of a receipt. Raises Rejected (WRONG_TIMESTAMP)."""
    if receipt.timestamp is None:
        raise Rejected(WRONG_TIMESTAMP, "the receipt has no timestamp of an authority")
    one.timestamp = authority.check(str(receipt.note), receipt.timestamp)
    one.checks.append(
        f"the timestamp authority states that the receipt existed on {one.timestamp.isoformat()}"
    )


def check_list(findings: Sequence[ReceiptFindings]) -> None:
    """Check that the receipts of a file are all pages of a list, with derived answers if they omit them."""
    from schema.receipts.operations import is_paged  # late: it imports GraphQL

    receipts = [
        replace(one.receipt, answer=json.loads(one.derived_answer))
        if one.derived_answer
        else one.receipt
        for one in findings
        if one.receipt is not None and one.error is None
    ]
    if len(receipts) < len(findings):
        return
    try:
        paged = is_paged(receipts[0].statement.operation.document)
        if paged is None and len(receipts) == 1:
            return
        check_pages(receipts, bool(paged))
    except Rejected as error:
        for one in findings:
            one.error = error
        return
    if receipts[0].answer is None:
        findings[0].remarks.append(
            "Only a copy of the log shows whether all pages are in the file."
        )
    else:
        findings[0].checks.append("the file has all pages of the list")


@contextmanager
def receipt_errors(one: ReceiptFindings) -> Iterator[None]:
    """Record the fault of a receipt; others continue. Other errors than Rejected are raised."""
    try:
        yield
    except Rejected as error:
        one.error = error
