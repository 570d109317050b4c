"""What must be said of controls wherever they are named. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.assistants.book import Book

ASSUMED = {
    "AUTOMATIC_RETURN": "it is assumed to be back in force after a suspension: no newer fact of its issuer"
    " is known",
    "END_UNKNOWN": "it has ended or will end, and no source says when",
}


def say_of_control(control: Mapping[str, Any], book: Book) -> None:
    """Say that an issuer denies a control."""
    if not control["official"]:
        book.say(f"{control['key']}: only others report it, its issuer denies it.")


def say_of_clause(control: str, clause: Mapping[str, Any], book: Book) -> None:
    """Say on what the status of a clause rests where no source says so."""
    if clause["assumed"]:
        book.say(f"{control}, clause {clause['key']}: {ASSUMED[clause['assumed']]}.")
