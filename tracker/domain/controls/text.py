"""Texts of acts: versions with the days from which they govern. Their bytes are snapshots."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, ClassVar

import msgspec

from tracker.domain.basics.values import (
    DAY,
    Name,
    PartialDate,
    Precision,
    Sha256,
    Value,
    check_order,
)
from tracker.domain.basics.vocabulary import TextKind, TextStatus
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.export_control import ExportControl
from tracker.domain.entities.entity import (
    CitingFold,
    Entity,
    RecordedFact,
    Retracted,
    StateWithEvidence,
)
from tracker.domain.entities.fact import ENTITY_PATH, DatedFact, Fact
from tracker.domain.entities.fold import shared_fields
from tracker.domain.wording.phrases import date_phrase
from tracker.errors import InvalidInput

Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}\Z")]
Ending = Annotated[str, msgspec.Meta(pattern=r"^(md|txt|html|xml)\Z")]


class TextVersion(Value, frozen=True, kw_only=True):
    """A version of the text of an act."""

    governs_from: date
    """The day from which it governs."""
    language: Language
    """Its language, by the code of ISO 639-1."""
    kind: TextKind
    """Whether it is adopted, consolidated or translated."""
    sha256: Sha256
    """The SHA-256 of its bytes, as hexadecimal digits. They are at `/snapshots/<sha256>`."""
    size: int
    """Its length in bytes."""
    format: Ending
    """The ending of its file: `md`, `txt`, `html` or `xml`."""
    document: Name | None = None
    """The number of the document, such as a CELEX number; null if it is not recorded."""
    adopted_on: PartialDate | None = None
    """The day on which it was adopted; null if it is not recorded."""
    licence: Name | None = None
    """The licence of the copy; null if it is not recorded."""
    address: Name | None = None
    """The web address of the copy; null if it is not recorded."""


class Recorded(DatedFact, frozen=True, kw_only=True):
    """A version of the text of an act was read. `on` is the day from which it governs."""

    on: PartialDate
    """The day from which it governs."""
    issuer: Place
    """The place whose act it is."""
    act: Name
    """The act, by its title."""
    language: Language
    """The language, by its code of ISO 639-1."""
    kind: TextKind
    """Whether the text is adopted, consolidated or translated."""
    sha256: Sha256
    """The SHA-256 of the file, as hexadecimal digits."""
    size: Annotated[int, msgspec.Meta(ge=0)]
    """The length of the file in bytes."""
    format: Ending
    """The ending of the file: `md`, `txt`, `html` or `xml`."""
    document: Name | None = None
    """The number of the document, such as a CELEX number."""
    adopted_on: PartialDate | None = None
    """The day on which the text was adopted."""
    licence: Name | None = None
    """The licence of the copy."""
    instrument: Name | None = None
    """The entity with the act, such as `export-control/cn-61-2025`; null if it has the same key, or none."""

    def __post_init__(self) -> None:
        if self.instrument and not ENTITY_PATH.fullmatch(self.instrument):
            raise InvalidInput(
                f"{self.instrument!r}: expected an entity such as export-control/cn-61-2025",
                code="INVALID_ID",
                path=("instrument",),
            )
        if self.on.precision is not Precision.DAY:
            raise InvalidInput(
                f"{self.on!r}: expected the day from which the text governs, such as 2021-09-09",
                code="INVALID_DATE",
                path=("on",),
            )
        check_order(self.adopted_on, self.on, "on")

    @property
    def public_on(self) -> date:
        """The day of adoption, or without one the day from which it governs."""
        return (self.adopted_on or self.on).first

    @property
    def issuers(self) -> tuple[str, ...]:
        """Its issuer."""
        return (self.issuer,)

    @property
    def version(self) -> TextVersion:
        """The version that it records."""
        fields = shared_fields(self, TextVersion)
        return TextVersion(governs_from=self.on.first, address=self.source.url, **fields)


class TextState(StateWithEvidence, frozen=True, kw_only=True):
    """The versions of the text of an act, as they are known on a day."""

    issuer: Place
    act: Name
    instrument: Name | None = None
    versions: tuple[TextVersion, ...]
    """The versions, by the day from which they govern, then by language."""

    @property
    def issuers(self) -> tuple[str, ...]:
        """Its issuer."""
        return (self.issuer,)

    def is_of(self, control: str) -> bool:
        """Return whether it is the text of an instrument with a key."""
        return self.instrument == f"{ExportControl.KIND}/{control}" or (
            self.instrument is None and self.id == control
        )

    def in_language(self, language: str | None) -> tuple[TextVersion, ...]:
        """Return the versions in a language, by default that of the first version."""
        language = language or self.versions[0].language
        return tuple(one for one in self.versions if one.language == language)


class TextOnDay(Value, frozen=True, kw_only=True):
    """The version of a text that governs a day, as far as recorded."""

    status: TextStatus
    """The relation of the version to the day."""
    version: TextVersion | None = None
    """The version; null if no version of the day is recorded."""
    governs_until: date | None = None
    """The day before the next recorded version; null without one."""

    @property
    def phrase(self) -> str:
        """The status in words, such as `not confirmed after 9 September 2021`."""
        of = self.version
        if of is None:
            return self.status.phrase
        start = date_phrase(of.governs_from)
        if self.status is TextStatus.NOT_CONFIRMED:
            return f"not confirmed after {start}"
        if self.status is TextStatus.NOT_IN_FORCE:
            return f"adopted, not in force before {start}"
        if self.governs_until is None:
            return f"governs from {start}"
        return f"governs from {start}; the next recorded version from {date_phrase(self.governs_until + DAY)}"


def version_on(versions: Sequence[TextVersion], day: date) -> TextOnDay:
    """Return the version that governs a day among those in one language, by day. Pure."""
    begun = [one for one in versions if one.governs_from <= day]
    if not begun:
        first = versions[0] if versions else None
        if first and first.adopted_on and first.adopted_on.last <= day:
            return TextOnDay(status=TextStatus.NOT_IN_FORCE, version=first)
        return TextOnDay(status=TextStatus.NOT_RECORDED)
    version, later = begun[-1], versions[len(begun) :]
    if later:
        until = later[0].governs_from - DAY
        return TextOnDay(status=TextStatus.GOVERNS, version=version, governs_until=until)
    confirmed = version.governs_from == day
    status = TextStatus.GOVERNS if confirmed else TextStatus.NOT_CONFIRMED
    return TextOnDay(status=status, version=version)


class _TextFold(CitingFold[TextState]):
    """The versions of a text from its facts."""

    __slots__ = ("recorded",)

    def __init__(self) -> None:
        super().__init__()
        self.recorded: list[Recorded] = []

    def take(self, known: RecordedFact) -> None:
        """Apply a fact."""
        if isinstance(known.fact, Recorded):
            self.recorded.append(known.fact)
            self.cite(known)

    def state(self, id: str, day: date) -> TextState | None:
        """Return the versions that are public by `day`."""
        if not self.recorded:
            return None
        fields = shared_fields(self.recorded[-1], TextState)
        return TextState(**fields, id=id, versions=_in_order(self.recorded), because=self.because)


def _in_order(recorded: Iterable[Recorded]) -> tuple[TextVersion, ...]:
    versions = [fact.version for fact in recorded]
    return tuple(sorted(versions, key=lambda one: (one.governs_from, one.language)))


class Text(Entity):
    """The text of an act."""

    KIND: ClassVar[str] = "text"
    INITIAL_FACT: ClassVar[type[Fact]] = Recorded
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "Text.Recorded": Recorded,
        "Text.Retracted": Retracted,
    }
    FOLD = _TextFold

    def check(self, fact: Fact) -> None:
        """Check that a day has one version in a language."""
        before: _TextFold = self._fold()
        assert isinstance(fact, Recorded)
        for one in before.recorded:
            if (one.on.first, one.language) == (fact.on.first, fact.language):
                raise InvalidInput(
                    f"{self.id} has a version of {fact.on} in {fact.language!r}: expected a correction of it",
                    code="ALREADY_EXISTS",
                    path=("on",),
                )
