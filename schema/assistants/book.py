"""Sources and required statements of a response, collected while its items are made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET

from schema.assistants.answers import KnownUpTo, Source
from tracker.domain.wording.phrases import listed, paths_phrase

MAX_EVENTS = 20
"""Maximum number of events per source."""

MAX_SENTENCES = 20
"""Maximum number of sentences about items."""

DOUBTS = {
    "as_recorded": ", as recorded earlier",
    "by_terms": ", not confirmed",
    "contradicted": ", contradicted by a statement",
}
"""Marks of a status in a line, by its confirmation."""

Because = Mapping[str, Any]
"""An event behind a state, as in the fragment Evidence."""


@dataclass(slots=True)
class Book:
    """The sources and sentences of one response, with its issuers and publishers."""

    valid_at: str
    sources: list[Source] = field(default_factory=list)
    sentences: dict[str, None] = field(default_factory=dict)
    issuers: dict[str, None] = field(default_factory=dict)
    publishers: dict[str, None] = field(default_factory=dict)
    _by_text: dict[tuple[object, ...], Source] = field(default_factory=dict)
    _known: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Horizons of issuers and publishers, as in the document."""

    def cite(self, *because: Because | None) -> list[int]:
        """Return the numbers of the sources of events."""
        numbers = [self._number(one["source"], int(one["position"])) for one in because if one]
        return list(dict.fromkeys(numbers))

    def _number(self, source: Mapping[str, Any], position: int) -> int:
        names = ("publisher", "name", "publishedOn", "url", "level")
        key = (*(source[name] for name in names), *source["unsupported"])
        number = self._by_text.get(key)
        if number is None:
            number = self._by_text[key] = Source(
                number=len(self.sources) + 1,
                publisher=source["publisher"],
                name=source["name"],
                published_on=source["publishedOn"],
                events=[position],
                primary=source["primary"],
                verified=source["verified"],
                level=source["level"],
                url=source["url"] or UNSET,
                reference=source["reference"] or UNSET,
                unsupported=paths_phrase(source["unsupported"]) or UNSET,
            )
            self.sources.append(number)
        elif position not in number.events and len(number.events) < MAX_EVENTS:
            number.events.append(position)
        return number.number

    def add_sentence(self, sentence: str) -> None:
        """Add a required statement, once."""
        self.sentences[sentence] = None

    def issued_by(self, *codes: str) -> None:
        """Note the issuers of the law in the response."""
        self.issuers.update(dict.fromkeys(codes))

    def published_by(self, *publishers: str) -> None:
        """Note the publishers of the figures in the response."""
        self.publishers.update(dict.fromkeys(publishers))

    def horizon(self, known: Iterable[Mapping[str, Any]]) -> list[KnownUpTo]:
        """Return the newest known dates of the issuers and publishers, with their watched sources."""
        self._known = {one.get("issuer") or one["publisher"]: one for one in known}
        covered = (*self.issuers, *self.publishers)
        return [_known_up_to(one, self._known[one]) for one in covered if one in self._known]

    def must_say(self, horizon: list[KnownUpTo]) -> list[str]:
        """Return the required statements; those about sources and the horizon come last."""
        sentences = list(self.sentences)
        if len(sentences) > MAX_SENTENCES:
            missing = len(sentences) - MAX_SENTENCES
            sentences[MAX_SENTENCES:] = [
                f"{missing} more such sentences: query fewer items to get them."
            ]
        return [*sentences, *self._of_sources(), *self._of_horizon(horizon)]

    def _of_sources(self) -> list[str]:
        lacking = [
            f"Not in the cited text of source {one.number}: {one.unsupported}."
            for one in self.sources
            if one.unsupported is not UNSET
        ]
        copies = [one.number for one in self.sources if one.level == "ISSUER_TEXT_COPY"]
        unread = [
            one.number for one in self.sources if not one.verified and one.number not in copies
        ]
        if copies:
            lacking.insert(
                0, f"Only a copy of the issuer's own text was read: {_numbered(copies)}."
            )
        if not unread:
            return lacking
        sources = _numbered(unread)
        if len(unread) == len(self.sources) > 1:
            sources = f"any of the {len(unread)} sources"
        return [f"Unverified: the issuer's own text was not read for {sources}.", *lacking]

    def _of_horizon(self, horizon: list[KnownUpTo]) -> list[str]:
        known = {one.of: one for one in horizon}
        sentences = []
        for issuer in self.issuers:
            of = known.get(issuer) or KnownUpTo(of=issuer)
            if not of.day:
                sentences.append(
                    f"No fact on the law of {issuer} is recorded: this does not mean that there is none."
                )
            elif of.day < self.valid_at:
                sentences.append(
                    f"The newest recorded act of {issuer} is dated {of.day}: later acts may exist."
                )
            else:
                continue
            sentences += _of_watch(issuer, self._known.get(issuer, {}))
        return sentences + [
            f"The newest recorded edition of {one} is dated {known[one].day}: newer ones may exist."
            for one in self.publishers
            if one in known and (known[one].day or "") < self.valid_at
        ]


def _known_up_to(of: str, known: Mapping[str, Any]) -> KnownUpTo:
    """Return the horizon of an issuer or a publisher, as in the document."""
    return KnownUpTo(
        of=of, day=known["newestFactOn"] or UNSET, looked_at=known.get("lookedAt") or UNSET
    )


def _of_watch(issuer: str, known: Mapping[str, Any]) -> list[str]:
    """Return sentences on the watched sources of an issuer."""
    if not known.get("sourceCount"):
        return [f"No source for {issuer} is watched: later acts may be missing."]
    sentences = []
    if polled_at := known["lookedAt"]:
        until = known["coversUntil"]
        seen = f"; announcements up to {until} were read, and may wait for review"
        sentences.append(
            f"Sources of {issuer} were last read on {polled_at[:10]}{seen if until else ''}."
        )
    return [*sentences, *map(_not_read, known["notRead"])]


def _not_read(source: Mapping[str, Any]) -> str:
    """Return since when a source has not been readable, with the reason."""
    why = f" ({source['code']})" if source["code"] else ""
    since = source["since"]
    how = f"has not been readable since {since[:10]}{why}" if since else "was never read"
    return f"{source['name']} {how}."


def _numbered(sources: Sequence[int]) -> str:
    return f"source{'s' * (len(sources) > 1)} {listed(in_runs(sources), most=20)}"


def in_runs(numbers: Iterable[int]) -> list[str]:
    """Return ascending numbers in words, with ranges: `1 to 4`, `7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]


def control_sentence(control: Mapping[str, Any], book: Book) -> None:
    """State that an issuer denies a control."""
    if not control["official"]:
        book.add_sentence(f"{control['key']}: only others report it, its issuer denies it.")


def clause_sentence(control: str, clause: Mapping[str, Any], book: Book) -> None:
    """State the confirmation of a status, unless it is confirmed, and that an end is unknown."""
    name = f"{control}, clause {clause['key']}"
    if clause["confirmation"] != "CONFIRMED":
        book.add_sentence(f"{name}: {clause['statusStatement']}")
    elif clause["assumed"] == "END_UNKNOWN":
        book.add_sentence(f"{name}: it has ended or will end, and no source states the date.")
