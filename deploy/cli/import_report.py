"""The report of an import: refused rows, differences, counts, receipts."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.output.terminal import in_one_line
from schema.tables.cells import escape_formula
from tracker.domain.evidence.import_receipt import ImportCounts, ImportState, Receipt
from tracker.errors import InvalidInput
from tracker.sources.importing.importer import EntityDifference, ImportOutcome
from tracker.sources.importing.receipt_builder import RemarkListener

MAX_SHOWN_CHARACTERS = 100
SHOWN_TEXT_FIELDS = ("title", "name", "edition", "note", "quotation", "account", "reason")
"""Fields of a fact that a dry run prints, if set."""


@contextmanager
def report_writer(path: Path | None) -> Iterator[RemarkListener | None]:
    """Write refused and suspect rows to a CSV file, if requested."""
    if path is None:
        yield None
        return
    try:
        opened = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}") from None
    with opened as content:
        writer = csv.writer(content)
        writer.writerow(("came", "line", "column", "code", "reason", "text"))
        yield lambda came, at, code, reason, text: writer.writerow(
            (came, at.line, *map(escape_formula, (at.column or "", code, reason, text)))
        )


def all_refused(counts: ImportCounts) -> bool:
    """Whether a file had facts, and none was accepted or already recorded.

    It most likely has another format or layout than its reader expects.
    """
    return 0 < counts.refused == counts.items and not counts.withdrawn


def describe_outcome(outcome: ImportOutcome, *, dry_run: bool) -> Iterator[str]:
    """Yield the lines of an import's outcome: refused rows with reasons, differences, counts."""
    return map(in_one_line, _outcome_lines(outcome, dry_run=dry_run))


def _outcome_lines(outcome: ImportOutcome, *, dry_run: bool) -> Iterator[str]:
    receipt = outcome.receipt
    name = receipt.file
    for remark in receipt.refused:
        yield f"{name}: {format_location(remark.line, remark.column)}: {remark.reason}"
    if receipt.counts.refused > len(receipt.refused):
        yield f"{name}: {receipt.counts.refused} refused in all (--report lists them):"
        yield from (f"{name}: {reason.count:8,} {reason.reason}" for reason in receipt.reasons)
    for remark in receipt.suspects:
        yield (
            f"{name}: suspect: {format_location(remark.line, remark.column)}: {remark.text}: {remark.reason}"
        )
    if dry_run:
        for item in outcome.differences:
            yield f"{name}: {format_difference(item)}"
            yield from (f"{name}:   {text}" for text in texts_of(item.fact))
    yield f"{name}: {format_summary(receipt, refused=outcome.refused, dry_run=dry_run)}"


def format_location(line: int, column: str | None) -> str:
    """Return a location in a file as text."""
    return f"line {line}: {column}" if column else f"line {line}"


def format_difference(item: EntityDifference) -> str:
    """Return the difference of one entity as a line."""
    where = f" (line {item.at.line})" if item.at else ""
    if not item.before:
        return f"{item.came}: {item.stream}{where}"
    return f"{item.came}: {item.stream}{where}: {format_content(item.before)} -> {format_content(item.fact)}"


def texts_of(fact: Any) -> Iterator[str]:
    """Yield the shortened texts of a fact, for a check against the file."""
    for field in SHOWN_TEXT_FIELDS:
        text = getattr(fact, field, None)
        if isinstance(text, str):
            end = "\u2026" if len(text) > MAX_SHOWN_CHARACTERS else ""
            yield f"{field}: {text[:MAX_SHOWN_CHARACTERS]}{end}"
    if quantity := getattr(fact, "quantity", None):
        yield f"quantity: {format_content(fact)}{f' {quantity.basis}' if quantity.basis else ''}"


def format_content(fact: Any) -> str:
    """Return a short description of a fact."""
    quantity = getattr(fact, "quantity", None)
    if quantity is None:
        return str(getattr(fact, "title", type(fact).__name__))
    return f"{quantity.qualifier or ''} {quantity.value or ''} {quantity.unit}".strip()


def format_summary(receipt: Receipt, *, refused: bool, dry_run: bool) -> str:
    """Return a summary of an import as a line."""
    if refused:
        return f"nothing recorded, {receipt.counts.refused} problems"
    if all_refused(receipt.counts):
        return f"{receipt.reader}: nothing recorded: all {receipt.counts.refused} were refused"
    return f"{receipt.reader}: {'would be ' if dry_run else ''}{format_counts(receipt.counts)}"


def format_counts(counts: ImportCounts) -> str:
    """Return the non-zero counts of a receipt."""
    always = {"recorded": counts.new + counts.restated, "known before": counts.unchanged}
    sometimes = {
        "of them restating an earlier edition": counts.restated,
        "corrected": counts.corrected,
        "withdrawn": counts.withdrawn,
        "repeated in the file": counts.repeated,
        "left out": counts.refused,
        "suspect": counts.suspect,
    }
    parts = always | {name: count for name, count in sometimes.items() if count}
    return ", ".join(f"{count} {name}" for name, count in parts.items())


def format_receipt(state: ImportState) -> str:
    """Return a receipt as a line."""
    return (
        f"{state.because[0].position:8}  {state.on}  {state.reader} {state.reader_version}"
        f"  {state.file}  {state.sha256[:12]}  {state.encoding or 'no text'}"
        f"  {format_counts(state.counts)}"
    )
