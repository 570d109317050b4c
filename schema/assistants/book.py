"""What an answer rests on and what must be said with it, noted while its items are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET

from schema.assistants.answers import KnownUpTo, Source
from schema.pages.site.words import listed

MAX_EVENTS = 20
"""Events that are named of a source."""

MAX_SENTENCES = 20
"""Sentences about items."""

Because = Mapping[str, Any]
"""An event behind a state, as the fragment Evidence gives it."""


@dataclass(slots=True)
class Book:
    """The sources, the sentences, and whose law and figures they are, of one answer."""

    valid_at: str
    sources: list[Source] = field(default_factory=list)
    sentences: dict[str, None] = field(default_factory=dict)
    issuers: dict[str, None] = field(default_factory=dict)
    publishers: dict[str, None] = field(default_factory=dict)
    _by_text: dict[tuple[object, ...], Source] = field(default_factory=dict)

    def cite(self, *because: Because | None) -> list[int]:
        """The numbers of the sources of some events."""
        numbers = [self._number(one["source"], int(one["position"])) for one in because if one]
        return list(dict.fromkeys(numbers))

    def _number(self, source: Mapping[str, Any], position: int) -> int:
        key = tuple(
            source[name] for name in ("publisher", "name", "publishedOn", "url", "verified")
        )
        found = self._by_text.get(key)
        if found is None:
            found = self._by_text[key] = Source(
                number=len(self.sources) + 1,
                publisher=source["publisher"],
                name=source["name"],
                published_on=source["publishedOn"],
                events=[position],
                primary=source["primary"],
                verified=source["verified"],
                url=source["url"] or UNSET,
                reference=source["reference"] or UNSET,
            )
            self.sources.append(found)
        elif position not in found.events and len(found.events) < MAX_EVENTS:
            found.events.append(position)
        return found.number

    def say(self, sentence: str) -> None:
        """Note a sentence that must be said with the answer, once."""
        self.sentences[sentence] = None

    def issued_by(self, *codes: str) -> None:
        """Note whose law the answer is about."""
        self.issuers.update(dict.fromkeys(codes))

    def published_by(self, *publishers: str) -> None:
        """Note whose figures the answer has."""
        self.publishers.update(dict.fromkeys(publishers))

    def horizon(self, known: Iterable[Mapping[str, Any]]) -> list[KnownUpTo]:
        """Up to which day the law of the issuers, or the figures of the publishers, are known."""
        days = {one.get("issuer") or one["publisher"]: one["newestFactOn"] for one in known}
        wanted = (*self.issuers, *self.publishers)
        return [KnownUpTo(of=one, day=days[one]) for one in wanted if one in days]

    def must_say(self, horizon: list[KnownUpTo]) -> list[str]:
        """The sentences that must be said, those about sources and the horizon behind the others."""
        said = list(self.sentences)
        if len(said) > MAX_SENTENCES:
            missing = len(said) - MAX_SENTENCES
            said[MAX_SENTENCES:] = [
                f"{missing} more such sentences: ask about fewer items for them."
            ]
        return [*said, *self._of_sources(), *self._of_horizon(horizon)]

    def _of_sources(self) -> list[str]:
        unread = [one.number for one in self.sources if not one.verified]
        if not unread:
            return []
        which = f"source{'s' * (len(unread) > 1)} {listed(in_runs(unread), most=20)}"
        if len(unread) == len(self.sources) > 1:
            which = f"any of the {len(unread)} sources"
        return [f"Unverified: the issuer's own text was not read for {which}."]

    def _of_horizon(self, horizon: list[KnownUpTo]) -> list[str]:
        days = {one.of: one.day for one in horizon}
        laws = [
            f"{'The law' if one.isupper() else 'What is said'} of {one} is known up to {days[one]}:"
            " later acts may exist."
            if one in days
            else f"No fact on the law of {one} is recorded: that it has none does not follow."
            for one in self.issuers
            if days.get(one, "") < self.valid_at
        ]
        return laws + [
            f"Figures of {one} are known up to its edition of {days[one]}: newer ones may exist."
            for one in self.publishers
            if one in days and days[one] < self.valid_at
        ]


def in_runs(numbers: Iterable[int]) -> list[str]:
    """Ascending numbers in words, those that follow each other together: `1 to 4`, `7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
