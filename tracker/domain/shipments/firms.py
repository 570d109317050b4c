"""The firms that a shipment names, beside those that recorded clauses list. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache

from msgspec import Struct, field

from tracker.domain.actors.firm import spelling
from tracker.domain.basics.control_vocabulary import ClauseStatus
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.shipments.shipment import Case, FirmNames
from tracker.domain.wording.phrases import listed, place_in_text

MIN_SIMILARITY_PERCENT = 80
"""Least similarity of two names (difflib) at which they count as similar."""
MAX_SIMILAR = 3
"""Maximum number of similar names."""
MIN_CONTAINED_CHARACTERS = 5
"""Least length of a name that counts as a part of another one."""
LEGAL_FORMS = frozenset(
    {
        *(
            "ab",
            "ag",
            "as",
            "bv",
            "co",
            "company",
            "corp",
            "corporation",
            "gmbh",
            "inc",
            "kg",
            "kk",
        ),
        *("limited", "llc", "ltd", "mbh", "nv", "oy", "plc", "pte", "sa", "se", "spa", "srl"),
    }
)
"""Last words of names, without dots, that subsidiaries do not share with their parents."""


class ListedFirms(Struct, frozen=True):
    """The firms that clauses in force name."""

    names: dict[str, str] = field(default_factory=dict)
    """The name as listed by its spelling."""
    issuers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The issuers that list it, by its spelling."""
    exporters: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The issuers whose clauses name it as an exporter, by its spelling."""


class NamedFirm(Struct, frozen=True):
    """A firm of a shipment, with the issuers that list it, or similar listed names."""

    field: str
    """The field of the input that names it, such as `endUser`."""
    name: str
    """Its name in the input."""
    listed_by: tuple[str, ...]
    """The issuers whose clauses in force name it, by code."""
    similar: tuple[str, ...]
    """Similar names on lists, for a person to check; empty if the firm is listed itself."""
    exporter_for: tuple[str, ...] = ()
    """The issuers whose clauses in force name it as an exporter, by code."""

    @property
    def statement(self) -> str:
        """The result in a sentence. A firm on no recorded list can be on one that is not recorded, or
        belong to a listed firm."""
        if self.listed_by:
            return f"“{self.name}” is listed by {listed(map(place_in_text, self.listed_by))}."
        if self.exporter_for:
            places = listed(map(place_in_text, self.exporter_for))
            return f"“{self.name}” is named as an exporter in rules of {places}."
        if self.similar:
            names = listed(f"“{one}”" for one in self.similar)
            return (
                f"“{self.name}” is not on a recorded list, but similar to {names}: check the name."
            )
        return f"“{self.name}” is not on a recorded list."


def listed_firms(controls: Iterable[ExportControlState]) -> ListedFirms:
    """Return the firms that clauses in force name."""
    firms = ListedFirms()
    for control in controls:
        for state in control.clauses:
            if state.status is ClauseStatus.IN_FORCE:
                for name in state.clause.entities:
                    firms.names.setdefault(spelling(name), name)
                    firms.issuers[spelling(name)].add(control.issuer)
                for name in state.clause.exporters:
                    firms.exporters[spelling(name)].add(control.issuer)
    return firms


def named_firms(case: Case, listed: ListedFirms) -> Iterator[NamedFirm]:
    """Yield the firms of a shipment in the order of its fields."""
    for of, name in case.shipment.parties.items():
        if name is None:
            continue
        spellings = case.spellings(name)
        issuers = {issuer for one in spellings for issuer in listed.issuers.get(one, ())}
        exporter_for = {issuer for one in spellings for issuer in listed.exporters.get(one, ())}
        similar = () if issuers else tuple(_similar(spelling(name), listed))
        yield NamedFirm(of, name, tuple(sorted(issuers)), similar, tuple(sorted(exporter_for)))


def similar_spellings(firms: Iterable[NamedFirm]) -> FirmNames:
    """Return the spellings of the listed names that are similar to each firm."""
    return {one.name: frozenset(map(spelling, one.similar)) for one in firms}


def _similar(name: str, listed: ListedFirms) -> Sequence[str]:
    """Return the listed names that are close to a name, or have it as a part, the closest first."""
    close = get_close_matches(
        name, listed.names, n=MAX_SIMILAR, cutoff=MIN_SIMILARITY_PERCENT / 100
    )
    parts = [one for one in listed.names if _is_part(name, one) or _is_part(one, name)]
    return [listed.names[one] for one in dict.fromkeys([*close, *parts])][:MAX_SIMILAR]


def _is_part(name: str, of: str) -> bool:
    """Return whether a name without its legal form is in another one as whole words."""
    part = without_legal_form(name)
    return len(part) >= MIN_CONTAINED_CHARACTERS and f" {part} " in f" {without_legal_form(of)} "


@lru_cache(maxsize=10_000)
def without_legal_form(name: str) -> str:
    """Return a name in lower case without marks and without the legal forms at its end."""
    words = name.replace(",", " ").replace(".", "").split()
    while len(words) > 1 and words[-1] in LEGAL_FORMS:
        words.pop()
    return " ".join(words)
