"""Relations between duties: whether they add up, yield to each other, or are capped."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from tracker.domain.basics.control_vocabulary import DutyRelation
from tracker.domain.basics.text_rules import check_not_negative
from tracker.domain.basics.values import Name, PartialDate, Value, check_order
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import unions_of
from tracker.domain.entities.fact import NOT_A_SUBJECT, DatedFact
from tracker.errors import InvalidInput


class Relation(Value, frozen=True, kw_only=True):
    """A relation of the duties of an instrument to those of another one, or to the ordinary duty.

    It is recorded with the instrument that yields, or that the later act declares.
    """

    kind: DutyRelation
    """The effect on the other duty."""
    clauses: tuple[Name, ...] = ()
    """The clauses of this instrument; all if left out."""
    other: Name | None = None
    """The key of the other instrument, which may be the same; null for the ordinary duty."""
    other_clauses: tuple[Name, ...] = ()
    """The clauses of the other instrument; all if left out."""
    percent: Decimal | None = None
    """The percentage that both together do not exceed, for CAPPED_AT."""
    places: Annotated[tuple[Place, ...], NOT_A_SUBJECT] = ()
    """The countries of production of imports, or destinations of exports, that it is limited to; all if left
    out."""
    except_places: Annotated[tuple[Place, ...], NOT_A_SUBJECT] = ()
    """Such places that it does not apply to."""
    in_force_from: PartialDate | None = None
    """The first day of the relation; null: as long as the duties apply."""
    in_force_until: PartialDate | None = None
    """The last day, inclusive; null: as long as the duties apply."""

    def __post_init__(self) -> None:
        is_ordinary = self.kind is DutyRelation.INCLUDES_ORDINARY
        if is_ordinary == (self.other is not None):
            expected = "no other instrument" if is_ordinary else "the other instrument"
            raise InvalidInput(f"expected {expected}", code="FIELD_REQUIRED", path=("other",))
        if (self.kind is DutyRelation.CAPPED_AT) != (self.percent is not None):
            raise InvalidInput(
                "expected a percentage exactly for capped_at",
                code="FIELD_REQUIRED",
                path=("percent",),
            )
        check_order(self.in_force_from, self.in_force_until, "inForceUntil")

    def check_recordable(self) -> None:
        """Check that the percentage is not negative. Raises InvalidInput."""
        check_not_negative(self.percent, "percent")

    def holds_on(self, day: date) -> bool:
        """Return whether the relation applies on a day."""
        started = self.in_force_from is None or self.in_force_from.first <= day
        return started and (self.in_force_until is None or day <= self.in_force_until.last)

    def holds_for(self, place: Place | None, day: date) -> bool:
        """Return whether it applies on a day to goods of a place, or to exports to it."""
        if not self.holds_on(day) or (place is None and (self.places or self.except_places)):
            return False
        names = {place, *(unions_of(place, day) if place else ())}
        return names.isdisjoint(self.except_places) and (
            not self.places or not names.isdisjoint(self.places)
        )

    def may_hold_for(self, place: Place | None, day: date) -> bool:
        """Return whether it applies to goods of a place, or to some goods if the place is not known."""
        return self.holds_on(day) if place is None else self.holds_for(place, day)

    def is_between(self, clause: str, other: str, other_clause: str) -> bool:
        """Return whether it relates a clause of its instrument to a clause of another one."""
        return (
            self.other == other
            and (not self.clauses or clause in self.clauses)
            and (not self.other_clauses or other_clause in self.other_clauses)
        )


class Related(DatedFact, frozen=True, kw_only=True):
    """An act states the relation of duties of the instrument to other duties.

    `on` is the day on which the act became public.
    """

    relation: Relation
    """The relation."""
    instrument: Name | None = None
