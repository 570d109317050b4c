"""What must be said of controls wherever they are named. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.assistants.book import Book


def say_of_control(control: Mapping[str, Any], book: Book) -> None:
    """Say that an issuer denies a control."""
    if not control["official"]:
        book.say(f"{control['key']}: only others report it, its issuer denies it.")


def say_of_clause(control: str, clause: Mapping[str, Any], book: Book) -> None:
    """Say how far a status is supported, unless it is confirmed, and that an end is unknown."""
    name = f"{control}, clause {clause['key']}"
    if clause["confirmation"] != "CONFIRMED":
        book.say(f"{name}: {clause['statusStatement']}")
    elif clause["assumed"] == "END_UNKNOWN":
        book.say(f"{name}: it has ended or will end, and no source says when.")
