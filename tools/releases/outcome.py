"""Outcomes of trials."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """A line of the table."""

    subject: str
    where: str
    result: str
    good: bool
