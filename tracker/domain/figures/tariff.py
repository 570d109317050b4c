"""Lines of tariffs with their rates, as editions print them.

A line holds its suffixes, so nothing is inherited when it is
read. A later edition records only lines that differ: the others are as printed before.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, ClassVar

import msgspec

from tracker.domain.basics.values import Name, Text, Value
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.entity import (
    CitingFold,
    Entity,
    RecordedFact,
    Retracted,
    StateWithEvidence,
)
from tracker.domain.entities.fact import NOT_A_SUBJECT, Fact
from tracker.domain.entities.fold import shared_fields
from tracker.domain.figures.tariff_edition import EditionKey, TariffEdition, TariffEditionState
from tracker.domain.figures.tariff_rate import SpecialRate, TariffRate, special_rates, tariff_rate
from tracker.domain.wording.phrases import date_phrase, place_in_text
from tracker.errors import InvalidInput

LineCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{8}\Z")]
SuffixDigits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}\Z")]
PROVISION = re.compile(r"\b99\d\d\.\d\d\.\d\d\b")


class Footnote(Value, frozen=True, kw_only=True):
    """A footnote of a line or suffix."""

    column: Name
    """The column that it is printed at: `general`, `special`, `other`, `units` or `desc`."""
    text: Text
    """The footnote, as printed."""


class TariffSuffix(Value, frozen=True, kw_only=True):
    """A statistical suffix of a line. It has the rates of the line."""

    suffix: SuffixDigits
    """The digits after the code of the line, such as `10`."""
    texts: tuple[Text, ...] = ()
    """The texts below that of the line, from the widest to its own; empty if it has none of its own."""
    units: tuple[Name, ...] = ()
    """The units to report, as printed."""
    footnotes: tuple[Footnote, ...] = ()
    """The footnotes of the suffix."""


class PrintedProvision(msgspec.Struct, frozen=True):
    """A provision of chapter 99 that a footnote prints. It proves that the provision was printed, not that it
    is collected."""

    code: str
    """The code, such as `9903.88.03`."""
    column: str
    """The column that it is printed at: `general`, `special`, `other`, `units` or `desc`."""
    footnote: str
    """The footnote. It may name several provisions; one of them applies."""
    suffix: str | None = None
    """The suffix that prints it; null for the line itself."""


class LineFact(Fact, frozen=True, kw_only=True):
    """A fact about a line of a tariff, from one edition."""

    place: Annotated[Place, NOT_A_SUBJECT]
    """The place whose tariff it is."""
    code: LineCode
    """The code of the line, of 8 digits."""
    edition: EditionKey
    """The edition, such as `2026-rev-10`."""

    @property
    def stream(self) -> str:
        """The stream of the line: `tariff-line/us/81129210`."""
        return f"{TariffLine.KIND}/{self.place.lower()}/{self.code}"

    @property
    def public_on(self) -> date:
        """The day of the edition."""
        return self.source.published_on.first


class PrintedLine(LineFact, frozen=True, kw_only=True):
    """The print of a line in an edition. A rate is its text; null means that nothing is printed."""

    texts: tuple[Text, ...]
    """The path of texts from the heading to the line."""
    general: Text | None = None
    """The general rate."""
    special: Text | None = None
    """The rates of trade programmes."""
    column2: Text | None = None
    """The rate for places without normal trade relations."""
    units: tuple[Name, ...] = ()
    """The units to report at the line itself."""
    footnotes: tuple[Footnote, ...] = ()
    """The footnotes of the line itself."""
    suffixes: tuple[TariffSuffix, ...] = ()
    """The statistical suffixes, in the order of the schedule."""


class LineStated(PrintedLine, frozen=True, kw_only=True):
    """A line is printed in the first edition that was read for it."""


class LineChanged(PrintedLine, frozen=True, kw_only=True):
    """A line is printed otherwise in a later edition. The day of the change is not recorded: it is between
    the two editions."""


class LineWithdrawn(LineFact, frozen=True, kw_only=True):
    """A line is not printed in a later edition."""

    successors: tuple[LineCode, ...] = ()
    """The codes of the lines that are new in that edition under its heading; empty without one."""


class TariffLineState(StateWithEvidence, frozen=True, kw_only=True):
    """A line of a tariff, as printed in the newest edition that printed it otherwise."""

    place: Place
    """The place whose tariff it is."""
    code: LineCode
    """The code of the line, of 8 digits."""
    edition: EditionKey
    """The edition with this print. Later editions that were read print the same."""
    printed_on: date
    """The day of that edition."""
    texts: tuple[Text, ...]
    """The path of texts from the heading to the line."""
    general_text: Text | None = None
    special_text: Text | None = None
    column2_text: Text | None = None
    units: tuple[Name, ...] = ()
    """The units to report at the line itself, as printed."""
    footnotes: tuple[Footnote, ...] = ()
    """The footnotes of the line itself."""
    suffixes: tuple[TariffSuffix, ...] = ()
    """The statistical suffixes, in the order of the schedule."""
    retired_suffixes: tuple[SuffixDigits, ...] = ()
    """Suffixes of earlier editions that are not printed any more."""
    withdrawn_in: EditionKey | None = None
    """The edition that was the first to leave out the line; null if the newest one prints it."""
    successors: tuple[LineCode, ...] = ()
    """The codes of the lines that are new in that edition under its heading."""

    @property
    def withdrawn(self) -> bool:
        """Whether the newest edition does not print the line."""
        return self.withdrawn_in is not None

    @property
    def text(self) -> str:
        """The path of texts in one line, from the heading to the line."""
        return " › ".join(self.texts)

    @property
    def general(self) -> TariffRate | None:
        """The general rate; null if none is printed."""
        return tariff_rate(self.general_text) if self.general_text else None

    @property
    def rates(self) -> tuple[str | None, ...]:
        """The printed rates by column."""
        return self.general_text, self.special_text, self.column2_text

    @property
    def special(self) -> tuple[SpecialRate, ...]:
        """The rates for goods of trade programmes; empty if none is printed, as beside Free."""
        return special_rates(self.special_text) if self.special_text else ()

    @property
    def column2(self) -> TariffRate | None:
        """The rate for places without normal trade relations; null if none is printed. The schedule does
        not list these places."""
        return tariff_rate(self.column2_text) if self.column2_text else None

    @property
    def printed_provisions(self) -> tuple[PrintedProvision, ...]:
        """The provisions of chapter 99 in footnotes of the line and of its suffixes. Most additional duties
        have no footnote, so a missing one proves nothing."""
        places = [(None, self.footnotes), *((one.suffix, one.footnotes) for one in self.suffixes)]
        return tuple(
            PrintedProvision(code, note.column, note.text, suffix)
            for suffix, footnotes in places
            for note in footnotes
            for code in PROVISION.findall(note.text)
        )


class _LineFold(CitingFold[TariffLineState]):
    """The fold of the prints of a line."""

    __slots__ = ("end", "printed", "retired")

    def __init__(self) -> None:
        super().__init__()
        self.printed: PrintedLine | None = None
        self.end: LineWithdrawn | None = None
        self.retired: tuple[str, ...] = ()

    def take(self, known: RecordedFact) -> None:
        """Apply a print, or the withdrawal of the line."""
        match known.fact:
            case PrintedLine() as fact:
                now = [one.suffix for one in fact.suffixes]
                before = [one.suffix for one in self.printed.suffixes] if self.printed else []
                gone = dict.fromkeys([*self.retired, *before])
                self.retired = tuple(sorted(one for one in gone if one not in now))
                self.printed, self.end = fact, None
            case LineWithdrawn() as fact:
                self.end = fact
        self.cite(known)

    def state(self, id: str, day: date) -> TariffLineState | None:
        """Return the line as printed last."""
        if self.printed is None:
            return None
        of = self.printed
        return TariffLineState(
            **shared_fields(of, TariffLineState),
            id=id,
            printed_on=of.public_on,
            general_text=of.general,
            special_text=of.special,
            column2_text=of.column2,
            retired_suffixes=self.retired,
            withdrawn_in=self.end.edition if self.end else None,
            successors=self.end.successors if self.end else (),
            because=self.because,
        )


class TariffLine(Entity):
    """A line of a tariff with its rates, by edition."""

    KIND: ClassVar[str] = "tariff-line"
    ID_HAS_PARTS: ClassVar[bool] = True
    INITIAL_FACT: ClassVar[type[Fact]] = LineStated
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "TariffLine.Stated": LineStated,
        "TariffLine.Changed": LineChanged,
        "TariffLine.Withdrawn": LineWithdrawn,
        "TariffLine.Retracted": Retracted,
    }
    FOLD = _LineFold

    def check(self, fact: Fact) -> None:
        """Check that a fact is about this line, and that a change follows another print."""
        if fact.stream not in (None, self.id):
            raise InvalidInput(f"expected a fact about {self.id}", path=("code",))
        before: _LineFold = self._fold()
        if isinstance(fact, LineStated) and before.printed:
            raise InvalidInput(
                f"{before.printed.edition} states this line: expected a change of it",
                path=("type",),
            )
        if isinstance(fact, LineChanged) and content_of(before.printed) == content_of(fact):
            raise InvalidInput(
                "the line is printed as before: expected a difference", path=("edition",)
            )


def content_of(printed: PrintedLine | None) -> dict[str, object]:
    """Return the content of a print without its edition and sources, to compare editions."""
    if printed is None:
        return {}
    common = {*Fact.__struct_fields__, "edition"}
    return {
        name: getattr(printed, name) for name in printed.__struct_fields__ if name not in common
    }


def tariff_name(entity: str) -> str:
    """Return an edition or line by its name in the log: `Tariff line 8112.92.10 of the United States`."""
    kind, place, key = entity.split("/")
    of = place_in_text(Place(place.upper()))
    if kind == TariffEdition.KIND:
        return f"Edition {key} of the tariff of {of}"
    return f"Tariff line {dotted(key)} of {of}"


def dotted(code: str) -> str:
    """Return a code of a tariff with dots: `8112.92.10`."""
    return ".".join(filter(None, [code[:4], code[4:6], code[6:8], code[8:]]))


def print_statement(
    line: TariffLineState,
    day: date,
    editions: Iterable[TariffEditionState],
    later: TariffLineState | None,
) -> str:
    """Return the extent to which editions prove the print of a line on a day, in a sentence.

    `editions` are all that were read, `later` is the line in the first edition after the day.
    """
    read = sorted(one.printed_on for one in editions if one.reads(line.code))
    before = [on for on in read if on <= day] or [line.printed_on]
    after = next((on for on in read if on > day), None)
    printed = "Not printed" if line.withdrawn else "As printed"
    start = f"{printed} on {date_phrase(before[-1])}"
    if after is None:
        return f"{start}; no later edition was read." if day > before[-1] else f"{start}."
    if later is not None and later.edition == line.edition and later.withdrawn == line.withdrawn:
        return f"{start} and, unchanged, on {date_phrase(after)}."
    if later is not None and later.rates == line.rates and not (line.withdrawn or later.withdrawn):
        return f"{start}; the edition of {date_phrase(after)} prints the same rates."
    return (
        f"{start}; the edition of {date_phrase(after)} prints it otherwise. The day of the change is"
        " not recorded."
    )
