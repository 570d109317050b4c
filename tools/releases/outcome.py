"""Outcomes of trials."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """A line of the table."""

    subject: str
    where: str
    result: str
    good: bool


def report(outcomes: Iterable[Outcome]) -> int:
    """Print a table of outcomes, each as it comes, and return the exit code."""
    print("| what | where | result |\n| --- | --- | --- |")
    count = wrong = 0
    for each in outcomes:
        mark = "" if each.good else "**wrong**: "
        print(f"| {each.subject} | {each.where} | {mark}{each.result} |", flush=True)
        count, wrong = count + 1, wrong + (not each.good)
    print(f"{count} outcomes, {wrong} wrong")
    return 1 if wrong else 0
