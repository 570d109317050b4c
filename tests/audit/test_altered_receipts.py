"""Altered receipts: the program rejects each for its reason, and so does a stranger's verifier."""

from collections import Counter
from pathlib import Path

import pytest

from deploy.cli.receipt_checks import check_files
from tests.support.altered_receipts import (
    COUNT,
    LIST,
    TRUE_MOMENTS,
    altered_receipts,
    lie,
    page,
    pages,
)
from tests.support.receipt_vectors import LOG, WITNESS, receipt
from tracker import clock
from tracker.audit.receipts.report import ReceiptFindings, ReceiptRun
from tracker.audit.verify.trust import TrustPolicy

TRUST = TrustPolicy((LOG.verifier,), (WITNESS.verifier,))
ALTERED = altered_receipts()
TRUE = {
    "the vector": str(receipt()).encode(),
    "a list": pages(*range(1, COUNT + 1)),
    "a list of one page": pages(1, count=1),
    "a list up to a limit": page(1, LIST.replace("$after)", '$after, before: "c9")'), 1),
    "a list without answers": pages(*range(1, COUNT + 1), omitted=True),
    **{name: lie(change) for name, change in TRUE_MOMENTS.items()},
}
"""Receipts that say what is true, as far as it follows from them alone."""


def codes(directory: Path, data: bytes) -> list[str | None]:
    """Return the fault of each receipt in a file, as `tracker verify --receipt` finds it without a log."""
    file = directory / "a.receipt.json"
    file.write_bytes(data)
    run = ReceiptRun(None, "x", clock.now(), [ReceiptFindings(str(file))])
    check_files(run, [file], TRUST, None)
    return [one.error and one.error.code for one in run.findings]


def test_there_are_many_altered_receipts_of_all_classes() -> None:
    assert len({one.name for one in ALTERED}) == len(ALTERED) >= 107
    assert not {one.file for one in ALTERED} & {*TRUE.values()}
    counts = Counter(one.code for one in ALTERED)
    assert min(counts.values()) >= 1


def test_the_program_rejects_each_altered_receipt_for_its_reason(tmp_path: Path) -> None:
    found = {one.name: codes(tmp_path, one.file) for one in ALTERED}
    wrong = {
        one.name: (found[one.name], one.code)
        for one in ALTERED
        if {*found[one.name]} - {None} != {one.code}
    }
    assert not wrong


@pytest.mark.parametrize("name", TRUE)
def test_the_program_accepts_true_receipts(tmp_path: Path, name: str) -> None:
    assert {*codes(tmp_path, TRUE[name])} == {None}
