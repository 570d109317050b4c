"""The ordinary duty on an import, as a tariff prints it. Pure.

The tariff of the United States lists neither the places under column 2 nor the beneficiaries of programmes:
`ordinary.toml` has them, and every answer says on which ground. Of the European Union only conventional rates
are recorded: the highest ones, which suspensions, quotas and preferences lower.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache

from msgspec import Struct, convert

from tracker.domain.basics.toml_files import read_toml
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import unions_of
from tracker.domain.figures.tariff import TariffLineState, dotted
from tracker.domain.figures.tariff_rate import FREE, SpecificAmount, TariffRate, tariff_rate
from tracker.domain.shipments.conditions import NO_PREFERENCE
from tracker.domain.shipments.rates import Rate
from tracker.domain.shipments.shipment import Case, Shipment
from tracker.domain.wording.phrases import date_phrase, listed, many, place_in_text

US, EU = Place("US"), Place("EU")
"""The places whose tariffs are recorded."""
MAX_TEXTS = 5
ZERO = Decimal(0)
KILOGRAMS = {"kg": Decimal(1), "t": Decimal(1000)}
"""Units of weight of amounts, in kilograms."""
YEAR = re.compile(r"\d{4}\Z")
"""The year at the end of the name of an edition."""


class Programme(Struct, frozen=True, forbid_unknown_fields=True):
    """A programme of the special column."""

    name: str
    places: tuple[str, ...] = ()
    """The possible beneficiaries."""
    excluded: tuple[str, ...] = ()
    """Places that are not beneficiaries, if all others may be."""
    use: bool = False
    """Whether it is for a use of goods from any place."""
    lapsed: date | None = None
    """The last day, if the programme has ended unless it was renewed."""

    def may_have(self, origin: Place, day: date) -> bool:
        """Return whether goods of an origin may be under the programme."""
        own = (origin, *unions_of(origin, day))
        if self.excluded:
            return not any(one in self.excluded for one in own)
        return any(one in self.places for one in own)


class Provision(Struct, frozen=True):
    """A provision of an additional duty."""

    places: tuple[str, ...]
    controls: tuple[str, ...]


class _Notes(Struct, frozen=True):
    conventional_not_due: tuple[str, ...]
    column2: dict[str, date]
    programmes: dict[str, Programme]
    provisions: dict[str, Provision]


class OrdinaryDuty(Struct, frozen=True):
    """The ordinary duty on an import, as far as it is printed. Additional duties are not in it."""

    low: Decimal | None
    """The lowest rate in percent of the value; null if a part of a rate is not known in percent."""
    high: Decimal | None
    """The highest rate in percent; null with `low`."""
    text: str
    """The rate in a sentence, with the column and the lines."""
    statement: str
    """The editions that prove the rate."""
    remarks: tuple[str, ...]
    """Conditions of the rate, and the parts that rest on memory."""
    questions: tuple[str, ...]
    """Questions that decide the rate, and printed provisions for the origin that are not recorded."""
    known: Rate
    """The part of the rate that is known in percent: all of it, or what the amounts come on top of."""
    amounts: tuple[str, ...]
    """The parts of rates that are not known in percent, such as `1¢/kg`, in words."""
    not_recorded: tuple[str, ...]
    """The printed provisions that fit the origin and are on no recorded duty, by code."""
    lines: tuple[TariffLineState, ...]
    """The lines of the tariff that the code selects."""


@cache
def _notes() -> _Notes:
    return convert(read_toml(__file__), _Notes)


def tariff_of(case: Case) -> Place | None:
    """Return the place whose tariff decides the ordinary duty of an import; None if it is not recorded.

    Goods of the European Union pay none in it. Goods of Belarus and Russia may pay more than its conventional
    rates, by acts that were not read.
    """
    of = case.shipment
    if of.destination == US:
        return US
    own = of.origin is None or case.is_in(of.origin, EU)
    if not case.is_in(of.destination, EU) or own or of.origin in _notes().conventional_not_due:
        return None
    return EU


def ordinary_duty(
    case: Case, lines: Sequence[TariffLineState], statement: str, recorded: Collection[str]
) -> OrdinaryDuty | None:
    """Return the ordinary duty of an import; None if no line is printed for the code.

    `lines` are those of the code, `statement` says which editions prove them, `recorded` has the instruments
    whose import duties apply to the shipment, certainly or possibly.
    """
    printed = [line for line in lines if not line.withdrawn and _is_of(line, case.day)]
    if not printed or case.shipment.origin is None:
        return None
    origin, column2 = case.shipment.origin, _is_under_column2(case)
    each = [_rates(case, line, origin) for line in printed]
    texts = {rate.text: rate for rates in each for rate in rates}
    known, amounts = _in_percent(texts.values(), case.shipment)
    span = Rate(None, None) if amounts else known
    converted = any(rate.amounts for rate in texts.values()) and span.high is not None
    column = "column 2" if column2 else "special or general" if _is_open(each) else "general"
    if _claimed(case, printed):
        column = "special"
    if printed[0].place == EU:
        column = "up to the conventional"
    of = dotted(printed[0].code) if len(printed) == 1 else many(len(printed), "line", space=" ")
    printed_texts = listed([*texts][:MAX_TEXTS]) + (" and others" if len(texts) > MAX_TEXTS else "")
    rate = span.phrase and f"{span.phrase}{f' by {printed_texts}' if converted else ''}"
    missing = _not_recorded(case, printed, recorded)
    return OrdinaryDuty(
        low=span.low,
        high=span.high,
        text=f"Ordinary duty: {rate or printed_texts or 'nothing is printed'} ({column} rate of {of}).",
        statement=statement,
        remarks=tuple(_remarks(case, printed, column2, converted)),
        questions=tuple(_questions(case, printed, origin, column2, amounts, missing)),
        known=known,
        amounts=amounts,
        not_recorded=tuple(sorted(missing)),
        lines=tuple(lines),
    )


def _in_percent(rates: Collection[TariffRate], of: Shipment) -> tuple[Rate, tuple[str, ...]]:
    """Return the known part of rates in percent of the value as a range, and the other parts in words."""
    percents, rest = list[Decimal](), list[str]()
    for rate in rates:
        percent = ZERO if rate.percent_of or rate.percent is None else rate.percent
        if rate.words:
            return Rate(None, None), (rate.words,)
        if rate.percent_of:
            rest.append(f"{rate.percent:f} % on {rate.percent_of}")
        for amount in rate.amounts:
            share = _share(amount, rate, of)
            percent += share or ZERO
            if share is None:
                rest.append(amount.text)
        percents.append(round(percent, 2) if rate.amounts else percent)
    known = Rate(min(percents), max(percents)) if percents else Rate(None, None)
    return known, tuple(dict.fromkeys(rest))


def _share(amount: SpecificAmount, rate: TariffRate, of: Shipment) -> Decimal | None:
    """Return an amount in percent of the value; None without the value, or the weight that it is on."""
    several = len({one.content for one in rate.amounts}) > 1
    weight = of.weight if amount.content is None else None if several else of.metal_weight
    per_kilogram = KILOGRAMS.get(amount.unit)
    if per_kilogram is None or of.value is None or weight is None or amount.including:
        return None
    return 100 * amount.dollars * weight / per_kilogram / of.value


def _is_open(each: Sequence[Sequence[TariffRate]]) -> bool:
    return any(len(rates) > 1 for rates in each)


def _is_of(line: TariffLineState, day: date) -> bool:
    """Return whether an edition applies on a day: one of the Union applies from the start of its year."""
    if line.place != EU:
        return True
    year = YEAR.search(line.edition)
    return year is None or int(year[0]) <= day.year


def _is_under_column2(case: Case) -> bool:
    if case.shipment.destination != US:
        return False
    since = _notes().column2.get(case.shipment.origin or "")
    return since is not None and since <= case.day


def _rates(case: Case, line: TariffLineState, origin: Place) -> list[TariffRate]:
    """Return the rate of a line for the origin, or the rates that may be due."""
    if line.place == EU:
        return [tariff_rate(FREE), *([line.general] if line.general else [])]
    if _is_under_column2(case):
        return [line.column2] if line.column2 else []
    general = [line.general] if line.general else []
    if case.shipment.preference is not None:
        return _claimed(case, [line]) or general
    programmes = _programmes_of(line, origin, case.day)
    special = [one.rate for one in line.special if not programmes.isdisjoint(one.programmes)]
    return [*special, *general]


def _claimed(case: Case, lines: Iterable[TariffLineState]) -> list[TariffRate]:
    """Return the special rates of the programme that the shipment claims, by its symbol or name, if goods of
    the origin may be under it."""
    claimed = (case.shipment.preference or "").casefold()
    if not claimed or claimed == NO_PREFERENCE:
        return []
    return [
        one.rate
        for line in lines
        for one in line.special
        if any(
            claimed in (code.casefold(), _name(code).casefold()) and _may_have(code, case)
            for code in one.programmes
        )
    ]


def _may_have(symbol: str, case: Case) -> bool:
    """Return whether goods of the origin may be under a programme, which is true of an unknown one."""
    of, origin = _notes().programmes.get(symbol.rstrip("*+")), case.shipment.origin
    return of is None or of.use or origin is None or of.may_have(origin, case.day)


def _name(symbol: str) -> str:
    of = _notes().programmes.get(symbol.rstrip("*+"))
    return of.name if of else symbol


def _programmes_of(line: TariffLineState, origin: Place, day: date) -> set[str]:
    """Return the printed programmes of which the origin may be a beneficiary."""
    known = _notes().programmes
    return {
        code
        for one in line.special
        for code in one.programmes
        if (of := known.get(code.rstrip("*+"))) is not None and of.may_have(origin, day)
    }


def _remarks(
    case: Case, lines: Sequence[TariffLineState], column2: bool, converted: bool
) -> Iterator[str]:
    if lines[0].place == EU:
        yield (
            "The conventional rate is the highest one. Suspensions, quotas and preferences, which are not"
            " recorded, can lower it."
        )
        return
    if column2:
        name = place_in_text(case.shipment.origin or "")
        yield (
            f"{name} is under column 2 by general note 3(b), read in extracts of the editions of 2024 to"
            " 2026."
        )
    else:
        yield (
            "The beneficiaries of programmes are from memory: general note 3(c) was not read. The places"
            " under column 2 were read in extracts of general note 3(b)."
        )
    if converted:
        yield "The ordinary duty in percent follows from the stated value and weight, to 0.01 %."
    known = _notes().programmes
    codes = dict.fromkeys(c for line in lines for one in line.special for c in one.programmes)
    uses = [f"{known[c].name} ({c})" for c in codes if c in known and known[c].use]
    if uses and not column2:
        yield f"Another rate applies to goods of a use under {listed(uses)}."
    stated = case.shipment.preference
    if stated and stated.casefold() != NO_PREFERENCE and not _claimed(case, lines) and not column2:
        yield (
            f"{stated!r} is not a programme that the line prints for the origin, so the general rate is"
            " due."
        )


def _questions(
    case: Case,
    lines: Sequence[TariffLineState],
    origin: Place,
    column2: bool,
    amounts: Sequence[str],
    missing: Mapping[str, TariffLineState],
) -> Iterator[str]:
    codes = set[str]()
    for line in lines:
        codes |= _programmes_of(line, origin, case.day)
    if codes and case.shipment.preference is None and not column2:
        names = listed(dict.fromkeys(_with_end(code, case.day) for code in sorted(codes)))
        yield f"Is a preference claimed under {names}? State `preference`; `none` for no claim."
    if amounts:
        yield (
            f"What is the value and weight of the goods? {listed(amounts)} of the ordinary duty has no"
            " percentage without `value`, and `weight` or `metalWeight`."
        )
    for code, line in sorted(missing.items()):
        yield (
            f"The duty of {code} may be due: the edition of {date_phrase(line.printed_on)} prints it at"
            f" {dotted(line.code)}, and no recorded duty has it. Ask the customs authority."
        )


def _not_recorded(
    case: Case, lines: Iterable[TariffLineState], recorded: Collection[str]
) -> dict[str, TariffLineState]:
    """Return the printed provisions for the origin that no recorded duty has, each with a line."""
    origin, provisions = case.shipment.origin or Place(""), _notes().provisions
    own = (origin, *unions_of(origin, case.day))
    return {
        one.code: line
        for line in lines
        for one in line.printed_provisions
        if (of := provisions.get(one.code)) is not None
        and any(place in of.places for place in own)
        and not any(control in recorded for control in of.controls)
    }


def _with_end(symbol: str, day: date) -> str:
    """Return a programme in words, with its last day if it has ended."""
    name, of = _name(symbol), _notes().programmes[symbol.rstrip("*+")]
    if of.lapsed is None or of.lapsed >= day:
        return name
    return f"{name} (lapsed on {date_phrase(of.lapsed)} unless it was renewed; from memory)"
