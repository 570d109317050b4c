"""Old payloads in today's form.

What is recorded never changes, but what its words are called may. An upcaster is one step: it turns
the data of an event type from one schema number into that of the next. Steps follow each other, so
that the oldest entry is read as if it had been recorded today; its bytes, its hash and what
integrations are sent stay as they were.

To rename or move something in a recorded fact: change the fact in the domain, add a step to
`UPCASTERS` for every event type that has it, and keep the JSON Schema that the type had until then
in `schema/routes/retired_schemas`, as `/schemas/TYPE` gave it before the change. New events have
the next number from then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

FIRST_NUMBER = 1
FIRST_UPCAST_NUMBER = 2
"""The schema number from which steps begin. Data of number 1 has free texts where that of number 2
has commitments; facts are read from both, so that the steps are the same for both."""

SCHEMA_NAME = "urn:critical-minerals-policy-tracker:schema"
NO_RENAMED_WORDS: Mapping[str, str] = MappingProxyType({})


class Upcaster(NamedTuple):
    """One step: `upcast` gets the data of an event as plain JSON, and returns that of the next
    schema number. `renamed_words` are words of a vocabulary by what they were called before, for
    those who search entries by such words (an index of old entries has only the old ones)."""

    upcast: Callable[[dict[str, Any]], dict[str, Any]]
    renamed_words: Mapping[str, str] = NO_RENAMED_WORDS


class Upcasters:
    """All steps, by event type and the schema number that they read."""

    def __init__(self, steps: Mapping[tuple[str, int], Upcaster]):
        self.steps = dict(steps)
        self._numbers: dict[str, int] = {}
        for type_, number in sorted(self.steps):
            expected = self.number(type_)
            if number != expected:
                raise ValueError(
                    f"expected the next step of {type_} to read number {expected}, got {number}"
                )
            self._numbers[type_] = number + 1
        old = {(type_, FIRST_NUMBER) for type_, _ in self.steps} | self.steps.keys()
        outdated = "|".join(re.escape(schema_name(*step)) for step in sorted(old))
        self._outdated = re.compile(f'"dataschema":"(?:{outdated})"'.encode()) if outdated else None

    def number(self, type_: str) -> int:
        """The schema number that new events of a type have."""
        return self._numbers.get(type_, FIRST_UPCAST_NUMBER)

    def upcast(self, type_: str, name: str, data: bytes) -> bytes:
        """The data of an event, whose schema has a name, as an event of today has it."""
        number = schema_number(name)
        steps = range(max(number or 0, FIRST_UPCAST_NUMBER), self.number(type_))
        if number is None or not steps:
            return data
        content = msgspec.json.decode(data)
        for step in steps:
            content = self.steps[type_, step].upcast(content)
        return msgspec.json.encode(content)

    def is_outdated(self, entry: bytes) -> bool:
        """Whether the data of an entry must be upcast. In the text of a fact a quote is escaped,
        so only the entry's own attribute can look like this."""
        return self._outdated is not None and self._outdated.search(entry) is not None

    def with_former_words(self, words: Iterable[str]) -> set[str]:
        """Words, and what they were called in entries of older schemas."""
        found = set(words)
        for _, step in sorted(self.steps.items(), reverse=True):
            found |= {old for old, new in step.renamed_words.items() if new in found}
        return found


def schema_name(type_: str, number: int) -> str:
    """The name of the JSON Schema of an event type's data; it is no address."""
    return f"{SCHEMA_NAME}:{type_}:{number}"


def schema_number(name: str) -> int | None:
    """The number at the end of a schema's name; None where there is none."""
    number = name.rpartition(":")[2]
    return int(number) if number.isascii() and number.isdecimal() else None


def _name_territory(data: dict[str, Any]) -> dict[str, Any]:
    """Number 2 to 3: `extraterritorial` is called `territory`, which tells what is controlled abroad
    as well from what is controlled only there. A clause with a share of foreign value was about
    goods made abroad only."""
    return {**data, "clauses": [_with_territory(clause) for clause in data["clauses"]]}


def _with_territory(clause: dict[str, Any]) -> dict[str, Any]:
    said = dict(clause)
    if said.pop("extraterritorial", False):
        only = said.get("deMinimisPercent") is not None
        said["territory"] = "only_abroad" if only else "also_abroad"
    return said


UPCASTERS = Upcasters(
    {
        ("ExportControl.Announced", 2): Upcaster(_name_territory),
        ("ExportControl.Amended", 2): Upcaster(_name_territory),
    }
)
"""The steps of this version."""
