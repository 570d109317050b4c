"""Required statements about controls. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.assistants.book import Book


def control_sentence(control: Mapping[str, Any], book: Book) -> None:
    """State that an issuer denies a control."""
    if not control["official"]:
        book.add_sentence(f"{control['key']}: only others report it, its issuer denies it.")


DOUBTS = {"by_terms": ", not confirmed", "contradicted": ", contradicted by a statement"}
"""Marks of a status in a line, by its confirmation."""


def clause_sentence(control: str, clause: Mapping[str, Any], book: Book) -> None:
    """State the confirmation of a status, unless it is confirmed, and that an end is unknown."""
    name = f"{control}, clause {clause['key']}"
    if clause["confirmation"] != "CONFIRMED":
        book.add_sentence(f"{name}: {clause['statusStatement']}")
    elif clause["assumed"] == "END_UNKNOWN":
        book.add_sentence(f"{name}: it has ended or will end, and no source states the date.")
