"""Conversion of old payloads to the current schema.

Recorded data never change, but the vocabulary may. An upcaster is one step: it converts the data of an event
type from one schema number to the next. Steps are chained, so that the oldest entry is read as if it had been
recorded today. Its bytes, its hash and its deliveries to integrations stay unchanged.

To rename or move something in a recorded fact: change the fact in the domain, and add a step to `UPCASTERS`
for every event type that has it. Keep the JSON Schema that the type had until then in
`schema/routes/retired_schemas`, as `/schemas/TYPE` returned it before the change. New events have the next
number from then on.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

FIRST_NUMBER = 1
FIRST_UPCAST_NUMBER = 2
"""The first schema number with steps. Data of number 1 have free texts where those of number 2 have
commitments. Facts can be read from both, so the steps are the same for both."""

SCHEMA_NAME = "urn:critical-minerals-policy-tracker:schema"
NO_RENAMED_WORDS: Mapping[str, str] = MappingProxyType({})


class Upcaster(NamedTuple):
    """One step: `upcast` converts the data of an event, as plain JSON, to the next schema number.

    `renamed_words` maps words of a vocabulary to their former names, for searches by word in old entries,
    whose index has only the old names.
    """

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
        """Return the schema number of new events of a type."""
        return self._numbers.get(type_, FIRST_UPCAST_NUMBER)

    def upcast(self, type_: str, name: str, data: bytes) -> bytes:
        """Return the data of an event, whose schema has a name, in the current schema."""
        number = schema_number(name)
        steps = range(max(number or 0, FIRST_UPCAST_NUMBER), self.number(type_))
        if number is None or not steps:
            return data
        content = msgspec.json.decode(data)
        for step in steps:
            content = self.steps[type_, step].upcast(content)
        return msgspec.json.encode(content)

    def is_outdated(self, entry: bytes) -> bool:
        """Return whether the data of an entry must be converted.

        Quotes are escaped in the text of a fact, so only the entry's own attribute can match.
        """
        return self._outdated is not None and self._outdated.search(entry) is not None

    def with_former_words(self, words: Iterable[str]) -> set[str]:
        """Return words with their former names in entries of older schemas."""
        synonyms = set(words)
        for _, step in sorted(self.steps.items(), reverse=True):
            synonyms |= {old for old, new in step.renamed_words.items() if new in synonyms}
        return synonyms


def schema_name(type_: str, number: int) -> str:
    """Return the name of the JSON Schema of an event type's data; it is not an address."""
    return f"{SCHEMA_NAME}:{type_}:{number}"


def schema_number(name: str) -> int | None:
    """Return the number at the end of a schema's name; None if there is none."""
    number = name.rpartition(":")[2]
    return int(number) if number.isascii() and number.isdecimal() else None


def _name_territory(data: dict[str, Any]) -> dict[str, Any]:
    """Convert number 2 to 3: `extraterritorial` is replaced by `territory`.

    `territory` distinguishes controls that also apply abroad from those that apply only there. A clause with
    a share of foreign value was about goods made abroad only.
    """
    return {**data, "clauses": [_with_territory(clause) for clause in data["clauses"]]}


def _with_territory(clause: dict[str, Any]) -> dict[str, Any]:
    upcast = dict(clause)
    if upcast.pop("extraterritorial", False):
        only = upcast.get("deMinimisPercent") is not None
        upcast["territory"] = "only_abroad" if only else "also_abroad"
    return upcast


UPCASTERS = Upcasters(
    {
        ("ExportControl.Announced", 2): Upcaster(_name_territory),
        ("ExportControl.Amended", 2): Upcaster(_name_territory),
    }
)
"""The steps of this version."""
