"""Facts and their sources."""

import re
from datetime import date

import msgspec

from tracker.domain.basics.text_rules import check_address
from tracker.domain.basics.values import FreeText, Name, PartialDate, Publisher, Sha256, Value
from tracker.domain.basics.vocabulary import Checked, EvidenceLevel
from tracker.domain.catalogue.publishers import (
    authorities_at,
    is_authoritative,
    publishers,
    speaks_for,
)
from tracker.errors import InvalidInput

ENTITY_PATH = re.compile(r"[a-z][a-z-]*(?:/[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*)+", re.ASCII)
COMMIT = re.compile(r"/[0-9a-f]{40}/", re.ASCII)
"""A commit in the address of a copy, which fixes the bytes there; a branch does not."""
FILE_AT_COMMIT = re.compile(r"/(?:blob|raw)/[0-9a-f]{40}/.", re.ASCII)
"""A file of a Git repository at a commit. The commit is a hash of its files and identifies the bytes."""
NOT_A_SUBJECT = msgspec.Meta(extra={"subject": False})
"""Marks a field whose places, actors or commodities are not subjects of the fact: see
`tracker.domain.entities.subjects`."""


READ = frozenset({Checked.PAGE, Checked.DATA_FILE})
"""The check of a source that a person has read."""


class Source(Value, frozen=True, kw_only=True):
    """The source of a fact, and the way it was checked."""

    publisher: Publisher
    """The publisher's short id, such as `usgs`."""
    name: Name
    """The publication, in the publisher's words."""
    published_on: PartialDate
    """The date on which the fact became public through this source."""
    url: Name | None = None
    """The web address of the source."""
    reference: Name | None = None
    """The page, table or paragraph in the source."""
    checked: Checked = Checked.MEMORY
    """The check of the source before the fact was recorded; MEMORY if left out."""
    primary: bool | None = None
    """Whether it is the text of the issuer itself. By default it is if an authority published it at its
    own address or in a data file. True has no effect if the publisher is not an authority of an issuer or
    actor of the act."""
    confidence: Name | None = None
    """The confidence of the person who recorded the fact, in words."""
    snapshot: Sha256 | None = None
    """The SHA-256 of the snapshot that the fact was read from, as hexadecimal digits. The snapshot is at
    `/snapshots/<sha256>`. Null if no snapshot is cited."""
    reviewed_by: tuple[Name, ...] = ()
    """The reviewers who accepted the fact, in order, if it was proposed from a watched source; otherwise
    empty."""
    unsupported: tuple[Name, ...] = ()
    """The fields of the fact that the source does not contain, as paths such as `since` or
    `amounts.0.quantity`: `verified` and `level` do not apply to them. Empty if it contains all."""
    copy_of: Name | None = None
    """The address of the issuer's own page that the text at `url` copies, in the issuer's language and
    whole except for `unsupported`. Null if it is not such a copy."""
    copy_sha256: Sha256 | None = None
    """The SHA-256 of the copy, as hexadecimal digits. `copyOf` requires a `url` that contains the commit
    of the copy (40 hexadecimal digits) and, unless the `url` is a file of a Git repository at that
    commit (`/blob/<commit>/<path>`), this hash."""

    @property
    def is_primary(self) -> bool:
        """Whether it is an authority's own text, as far as the source states it. Otherwise, whether an
        authority published it at its own address or in a data file. The relevant issuers depend on the
        fact: see `tracker.domain.entities.provenance`."""
        if self.primary is not None:
            return self.primary
        is_data_file = self.checked is Checked.DATA_FILE
        return is_authoritative(self.publisher, self.url, data_file=is_data_file)

    @property
    def verified(self) -> bool:
        """Whether the text of the issuer itself was read before the fact was recorded. It does not apply
        to the fields in `unsupported`."""
        return self.is_primary and self.checked in READ

    @property
    def is_copy(self) -> bool:
        """Whether it copies a page of an authority, as far as the source states it."""
        return self.copy_of is not None and bool(authorities_at(self.copy_of))

    @property
    def level(self) -> EvidenceLevel:
        """The ground on which the fact stands by this source alone. It does not apply to the fields in
        `unsupported`."""
        if self.verified:
            return EvidenceLevel.VERIFIED
        if self.is_copy:
            return EvidenceLevel.ISSUER_TEXT_COPY
        return EvidenceLevel.MEMORY if self.checked is Checked.MEMORY else EvidenceLevel.SECONDARY

    @property
    def citation(self) -> str:
        """The publication and its publisher, in words: `MOFCOM Announcement No. 61 of 2025, as read at
        Reuters`."""
        known = publishers().get(self.publisher)
        publisher = known.name if known else self.publisher
        if publisher.casefold() in self.name.casefold():
            return self.name
        return (
            f"{self.name}, {'as read at' if self.checked in READ else 'published by'} {publisher}"
        )

    def check_recordable(self) -> None:
        """Check that addresses are web addresses, and that a copy has all its fields and was read. Raises
        InvalidInput."""
        for field, address in (("url", self.url), ("copyOf", self.copy_of)):
            if address is not None:
                check_address(address, field)
        if self.copy_of is None and self.copy_sha256 is None:
            return
        url = self.url or ""
        identity = self.copy_sha256 or FILE_AT_COMMIT.search(url)
        for field, present, expected in (
            ("copyOf", self.copy_of, "the address of the issuer's page that was copied"),
            ("url", COMMIT.search(url), "an address with the commit of the copy"),
            ("copySha256", identity, "the SHA-256 of the copy, or a url /blob/<commit>/<path>"),
            ("checked", self.checked in READ, f"a copy that was read: {' or '.join(sorted(READ))}"),
        ):
            if not present:
                raise InvalidInput(f"expected {expected}", code="FIELD_REQUIRED", path=(field,))


class CitedSource(Source, frozen=True, kw_only=True):
    """A source with the issuers of its fact.

    `issuers` are the places and alliances whose own text it can be; None if the fact has no issuer: see
    `tracker.domain.entities.provenance`.
    """

    issuers: tuple[Name, ...] | None = None

    @property
    def is_primary(self) -> bool:
        """Whether it is the own text of one of the issuers or, without issuers, of any authority."""
        return Source.is_primary.fget(self) and (  # type: ignore[attr-defined]  # it is a property
            self.issuers is None or speaks_for(self.publisher, self.issuers)
        )

    @property
    def is_copy(self) -> bool:
        """Whether it copies a page of an authority of one of the issuers or, without issuers, of any."""
        return Source.is_copy.fget(self) and (  # type: ignore[attr-defined]  # it is a property
            self.issuers is None or not authorities_at(self.copy_of).isdisjoint(self.issuers)
        )


class Fact(Value, frozen=True, kw_only=True):
    """A recorded act or statement, with its source: the content of an event.

    `more_sources` are further sources of the same fact. `note` has remarks, `quotation` the words of the
    source. In recorded data both are commitments to texts in annexes.
    """

    source: Source
    more_sources: tuple[Source, ...] = ()
    note: FreeText | None = None
    quotation: FreeText | None = None

    @property
    def stream(self) -> str | None:
        """The stream that the fact itself names; None if it must be given separately."""
        return None

    @property
    def issuers(self) -> tuple[str, ...]:
        """The places and alliances that the fact itself names as its issuers: see
        `tracker.domain.entities.provenance`."""
        return ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """All of its sources."""
        return (self.source, *self.more_sources)

    @property
    def cited_publishers(self) -> tuple[str, ...]:
        """The publishers of its sources without duplicates, that of the first source first."""
        if not self.more_sources:
            return (self.source.publisher,)
        of_more = [source.publisher for source in self.more_sources]
        return tuple(dict.fromkeys([self.source.publisher, *of_more]))

    @property
    def public_on(self) -> date:
        """The day from which the fact counts in valid time: it applies and is public."""
        raise NotImplementedError


class DatedFact(Fact, frozen=True, kw_only=True):
    """A fact of the day `on`: of an act, a statement, a judgement or a record. It is public on that day."""

    on: PartialDate

    @property
    def public_on(self) -> date:
        """The day `on`; the first one if only a month or a year is known."""
        return self.on.first
