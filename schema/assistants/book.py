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
    _known: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What is known of issuers and publishers, as a document has it."""

    def cite(self, *because: Because | None) -> list[int]:
        """The numbers of the sources of some events."""
        numbers = [self._number(one["source"], int(one["position"])) for one in because if one]
        return list(dict.fromkeys(numbers))

    def _number(self, source: Mapping[str, Any], position: int) -> int:
        names = ("publisher", "name", "publishedOn", "url", "verified")
        key = (*(source[name] for name in names), *source["unsupported"])
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
                unsupported=", ".join(source["unsupported"]) or UNSET,
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
        """Up to which day the law of the issuers, or the figures of the publishers, are known, and who
        looks for more."""
        self._known = {one.get("issuer") or one["publisher"]: one for one in known}
        wanted = (*self.issuers, *self.publishers)
        return [_known_up_to(one, self._known[one]) for one in wanted if one in self._known]

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
        lacking = [
            f"Not in the cited text of source {one.number}: {one.unsupported}."
            for one in self.sources
            if one.unsupported is not UNSET
        ]
        unread = [one.number for one in self.sources if not one.verified]
        if not unread:
            return lacking
        which = f"source{'s' * (len(unread) > 1)} {listed(in_runs(unread), most=20)}"
        if len(unread) == len(self.sources) > 1:
            which = f"any of the {len(unread)} sources"
        return [f"Unverified: the issuer's own text was not read for {which}.", *lacking]

    def _of_horizon(self, horizon: list[KnownUpTo]) -> list[str]:
        known = {one.of: one for one in horizon}
        said = []
        for issuer in self.issuers:
            of = known.get(issuer) or KnownUpTo(of=issuer)
            if not of.day:
                said.append(
                    f"No fact on the law of {issuer} is recorded: that it has none does not follow."
                )
            elif of.day < self.valid_at:
                said.append(
                    f"The newest recorded act of {issuer} is of {of.day}: later acts may exist."
                )
            else:
                continue
            said += _of_watch(issuer, self._known.get(issuer, {}))
        return said + [
            f"The newest recorded edition of {one} is of {known[one].day}: newer ones may exist."
            for one in self.publishers
            if one in known and (known[one].day or "") < self.valid_at
        ]


def _known_up_to(of: str, known: Mapping[str, Any]) -> KnownUpTo:
    """How much is known of an issuer or a publisher, as a document has it."""
    return KnownUpTo(
        of=of, day=known["newestFactOn"] or UNSET, looked_at=known.get("lookedAt") or UNSET
    )


def _of_watch(issuer: str, known: Mapping[str, Any]) -> list[str]:
    """Who looks for later acts of an issuer, in sentences."""
    if not known.get("sourceCount"):
        return [f"Nobody looks for later acts of {issuer}: no source of it is watched."]
    said = []
    if looked := known["lookedAt"]:
        until = known["coversUntil"]
        seen = f"; what they had announced by {until} was seen, and may wait for review"
        said.append(f"Sources of {issuer} were last read on {looked[:10]}{seen if until else ''}.")
    return [*said, *map(_not_read, known["notRead"])]


def _not_read(source: Mapping[str, Any]) -> str:
    """Since when a source can't be read, and why."""
    why = f" ({source['code']})" if source["code"] else ""
    since = source["since"]
    how = f"can't be read since {since[:10]}{why}" if since else "was never read"
    return f"{source['name']} {how}."


def in_runs(numbers: Iterable[int]) -> list[str]:
    """Ascending numbers in words, those that follow each other together: `1 to 4`, `7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
