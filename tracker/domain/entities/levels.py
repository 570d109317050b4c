"""Levels of the fields of a fact: the best among the sources that contain a field. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from tracker.domain.basics.vocabulary import EvidenceLevel
from tracker.domain.entities.fact import COMMIT, Source


def level_of(sources: Iterable[Source], *fields: str) -> EvidenceLevel:
    """Return the level of some fields of a fact with these sources; without fields, of the fact.

    A field is a path as in `unsupported`. A source that lacks a part of it does not count, and MEMORY is
    the level of fields that no source contains.
    """
    holding = [one for one in sources if not any(_lacks(one, field) for field in fields)]
    levels = [one.level for one in holding]
    best = min(levels, key=lambda level: level.rank, default=EvidenceLevel.MEMORY)
    if best is EvidenceLevel.ISSUER_TEXT_COPY and _are_equal_copies(holding):
        return EvidenceLevel.TWO_COPIES_AGREE
    return best


def _lacks(source: Source, field: str) -> bool:
    """Return whether a source lacks a field, a part of it, or what it is a part of."""
    return any(
        f"{field}.".startswith(f"{path}.") or path.startswith(f"{field}.")
        for path in source.unsupported
    )


def _are_equal_copies(sources: Iterable[Source]) -> bool:
    """Return whether two sources are copies of one page with one SHA-256 in different repositories."""
    repositories = defaultdict[tuple[str | None, str | None], set[str]](set)
    for one in sources:
        if one.is_copy and one.copy_sha256 and one.url:
            repositories[one.copy_of, one.copy_sha256].add(COMMIT.split(one.url)[0])
    return any(len(of_copy) > 1 for of_copy in repositories.values())
