"""Required statements about controls. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.assistants.book import Book


def say_of_control(control: Mapping[str, Any], book: Book) -> None:
    """State that an issuer denies a control."""
    if not control["official"]:
        book.say(f"{control['key']}: only others report it, its issuer denies it.")


def say_of_clause(control: str, clause: Mapping[str, Any], book: Book) -> None:
    """State the confirmation of a status, unless it is confirmed, and that an end is unknown."""
    name = f"{control}, clause {clause['key']}"
    if clause["confirmation"] != "CONFIRMED":
        book.say(f"{name}: {clause['statusStatement']}")
    elif clause["assumed"] == "END_UNKNOWN":
        book.say(f"{name}: it has ended or will end, and no source states the date.")
