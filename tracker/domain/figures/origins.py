"""Lists of origins: the places that a place imports from, as one publisher lists them."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, TypeAlias

from tracker.domain.basics.values import PERCENT, Name, Quantity, Value
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.fact import NOT_A_SUBJECT
from tracker.errors import InvalidInput

ROUNDING = Decimal("0.5")
"""The most that rounding to whole percent changes a part."""
HUNDRED = Decimal(100)
FieldPath: TypeAlias = tuple[str | int, ...]
Stated: TypeAlias = tuple[FieldPath, Quantity | None]
"""The path of a part, and its number if there is one."""
ListedPlace = Annotated[Place, NOT_A_SUBJECT]
"""A place of origin, which is not a subject of the claim: its subject is the importer."""


class Origin(Value, frozen=True, kw_only=True):
    """One origin in a list, with its part of the imports."""

    place: ListedPlace
    """The place of origin, as the publisher names it."""
    quantity: Quantity | None = None
    """Its part; null in a list of ranks, and in a trade flow without a weight."""
    value: Quantity | None = None
    """The customs value of the part, in a list of quantities; null if the publisher states none."""
    includes: tuple[ListedPlace, ...] = ()
    """Further places that the publisher counts in it, such as Hong Kong in China."""


class Origins(Value, frozen=True, kw_only=True):
    """The origins of a place's imports in the printed order.

    The parts are printed and restated together: they and the unnamed part are the whole.
    """

    parts: tuple[Origin, ...]
    """The named origins."""
    unnamed: Quantity | None = None
    """The part of all places that the publisher does not name; null if the list names all, and in a list
    of ranks."""
    unnamed_value: Quantity | None = None
    """The value of that part; null if the list states no values."""
    measured: Name | None = None
    """The measure of the parts, in the publisher's words, such as `quantity` or `value`."""

    @property
    def places(self) -> tuple[Place, ...]:
        """The named origins in the printed order."""
        return tuple(part.place for part in self.parts)

    def check_parts(self, whole: Quantity) -> None:
        """Check a list of parts of a whole.

        Shares sum to 100 percent, half a percent of rounding allowed for each. Amounts have the whole's
        unit and sum to the whole. Raises InvalidInput.
        """
        _check_sum(self._quantities(), whole)

    def check_values(self, whole: Quantity) -> None:
        """Check that each part has a value and that the values sum to the whole. Raises InvalidInput."""
        _check_sum(self._values(), whole)

    def check_missing_quantity(self, unit: str) -> None:
        """Check quantities in a unit, at least one of them missing. Raises InvalidInput."""
        stated = [(path, quantity) for path, quantity in self._quantities() if quantity is not None]
        _check_units(stated, unit)
        if len(stated) == len(self.parts) + (self.unnamed_value is not None):
            raise InvalidInput("expected the quantity of the whole: each part has one")

    def check_ranks(self) -> None:
        """Check a list of ranks, which has names alone. Raises InvalidInput."""
        for path, quantity in self._quantities():
            if quantity is not None:
                raise InvalidInput("expected no number in a list of ranks", path=path)

    def check_places(self) -> None:
        """Check that the list names places, each once. Raises InvalidInput."""
        if not self.parts:
            raise InvalidInput("expected at least one origin", path=("parts",))
        seen: set[Place] = set()
        for number, part in enumerate(self.parts):
            if part.place in seen:
                raise InvalidInput(
                    f"{part.place.name} is listed twice", path=("parts", number, "place")
                )
            seen.add(part.place)

    def _quantities(self) -> Iterator[Stated]:
        for number, part in enumerate(self.parts):
            yield ("parts", number, "quantity"), part.quantity
        if self.unnamed is not None:
            yield ("unnamed",), self.unnamed

    def _values(self) -> Iterator[Stated]:
        for number, part in enumerate(self.parts):
            yield ("parts", number, "value"), part.value
        if self.unnamed_value is not None:
            yield ("unnamedValue",), self.unnamed_value


def _check_sum(stated: Iterable[Stated], whole: Quantity) -> None:
    quantities: list[tuple[FieldPath, Quantity]] = []
    for path, quantity in stated:
        if quantity is None:
            raise InvalidInput("expected the part of this origin", path=path)
        quantities.append((path, quantity))
    _check_units(quantities, whole.unit)
    parts = [quantity for _, quantity in quantities]
    if whole.unit == PERCENT:
        _check_shares(parts, whole)
        return
    amounts = [part.value for part in parts if part.value is not None]
    if whole.value is not None and len(amounts) == len(parts):
        total = sum(amounts, Decimal(0))
        if total != whole.value:
            raise _other_sum(f"{total} {whole.unit}", f"{whole.value} {whole.unit}")


def _check_units(stated: Iterable[tuple[FieldPath, Quantity]], unit: str) -> None:
    for path, quantity in stated:
        if quantity.unit != unit:
            raise InvalidInput(f"expected the unit of the whole, {unit}", path=path)
        quantity.check_share()


def _check_shares(quantities: list[Quantity], whole: Quantity) -> None:
    if whole.value != HUNDRED:
        raise InvalidInput("expected a whole of 100 percent", path=("parts",))
    rounding = ROUNDING * len(quantities)
    bounds = [quantity.bounds_of_share() for quantity in quantities]
    low = sum((least for least, _ in bounds), Decimal(0))
    high = sum((greatest for _, greatest in bounds), Decimal(0))
    if not low - rounding <= HUNDRED <= high + rounding:
        raise _other_sum(f"{low} percent", "100 percent")


def _other_sum(parts: str, whole: str) -> InvalidInput:
    return InvalidInput(
        f"the parts sum to {parts}: expected {whole}, the unnamed part included",
        code="PARTS_DO_NOT_SUM",
        path=("parts",),
    )
