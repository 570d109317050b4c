"""A shipment: the goods, the way and the parties, as far as they are stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from unicodedata import category

from msgspec import structs

from tracker.domain.actors.firm import spelling
from tracker.domain.basics.control_vocabulary import Covers, Form
from tracker.domain.basics.text_rules import check_not_negative, check_percent
from tracker.domain.basics.values import Name, Value
from tracker.domain.catalogue.commodities import (
    Commodity,
    commodities_with_code,
    descendants,
    goods_with_code,
    related,
)
from tracker.domain.catalogue.harmonized_system import (
    INTERNATIONAL_DIGITS,
    check_exists,
    forms_of_code,
)
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import unions, unions_of
from tracker.domain.controls.clause_query import ClauseQuery
from tracker.domain.controls.matching import ALL_GOODS, DUAL_USE_ITEMS
from tracker.domain.controls.scope import HsCode
from tracker.domain.shipments.question_id import parse_question_id
from tracker.domain.wording.phrases import listed
from tracker.errors import InvalidInput, below

GOODS = "expected the goods: a commodity, an HS code or both"
"""The message for a shipment without goods."""
NOT_GOODS = frozenset({ALL_GOODS, DUAL_USE_ITEMS})
"""Groups of acts that name no commodity."""
INTANGIBLE = frozenset({Covers.TECHNOLOGY, Covers.SERVICES})
"""Subjects without a code of the nomenclature."""
WHOLE_PERCENT = 100
MAX_CONTENTS = 20
MAX_ROUTE = 10
MAX_ANSWERS = 100
UNKNOWN_FIRM = frozenset({"", "-", "?", "n/a", "na", "none", "tbd", "not known", "unknown"})
"""Words for a firm that is not known, in lower case: as if none was stated."""


class Content(Value, frozen=True, kw_only=True):
    """Foreign content of the goods: a commodity that they contain or were made from."""

    commodity: Commodity
    """The commodity, such as `dysprosium`."""
    origin: Place
    """The place where the content was produced."""
    percent: Decimal | None = None
    """Its share of the value of the goods in percent; null if it is not known."""


class QuestionAnswer(Value, frozen=True, kw_only=True):
    """The answer to an open question of an earlier check of the same shipment."""

    question: Name
    """The id of the question."""
    yes: bool
    """Whether the answer is yes."""


class Shipment(Value, frozen=True, kw_only=True):
    """A shipment. Only the goods are required; a clause that depends on an omitted field applies only
    possibly."""

    commodity: Commodity | None = None
    """The commodity of the goods, such as `tungsten`; needed without `hsCode`."""
    hs_code: HsCode | None = None
    """Their code of the Harmonized System or of a tariff, 4 to 10 digits without dots."""
    code_of: Place | None = None
    """The place whose tariff has the code, if it has more than 6 digits: only the first 6 are the same
    everywhere. Without this place the check ignores the other digits."""
    form: Form | None = None
    """The form in which they are traded."""
    covers: Covers | None = None
    """The subject of the shipment: the goods themselves (the default), or the technology, equipment,
    materials or services to make them."""
    origin: Place | None = None
    """The place where they were produced; they are exported from there unless `exportCountry` is stated."""
    export_country: Place | None = None
    """The place from which they are exported, if it is not the origin."""
    route: tuple[Place, ...] = ()
    """Places that they pass through in transit."""
    destination: Place | None = None
    """The place where they are imported."""
    exporter: Name | None = None
    """The firm that exports them."""
    importer: Name | None = None
    """The firm that imports them."""
    end_user: Name | None = None
    """The firm or person that uses them."""
    end_use: Name | None = None
    """The use of the goods, in the words of the clause that is limited to it."""
    preference: Name | None = None
    """The trade agreement under which they enter free of duty, such as `USMCA`; `none` if no agreement
    applies."""
    value: Decimal | None = None
    """Their value in US dollars, for duties with an amount per unit."""
    weight: Decimal | None = None
    """Their weight in kilograms, for duties with an amount per weight."""
    metal_weight: Decimal | None = None
    """The weight in kilograms of the metal in them by whose content a duty is measured, such as
    molybdenum."""
    contents: tuple[Content, ...] | None = None
    """All foreign content of the goods; null if it is not stated, empty if the goods have none."""
    answers: tuple[QuestionAnswer, ...] = ()
    """Answers to open questions."""

    def __post_init__(self) -> None:
        if self.commodity is None and self.hs_code is None:
            raise InvalidInput(GOODS, code="GOODS_REQUIRED", path=("commodity",))
        if self.commodity in NOT_GOODS:
            raise InvalidInput(
                f"{str(self.commodity)!r} names no particular goods: expected a commodity, such as"
                " 'tungsten'",
                code="NOT_GOODS",
                path=("commodity",),
            )
        if self.code_of is not None and self.hs_code is None:
            raise InvalidInput(
                "expected the code that is of this place", code="FIELD_REQUIRED", path=("hsCode",)
            )
        if self.hs_code is not None:
            check_exists(self.hs_code)
        self._check_form()
        self._check_amounts()
        for name, items, most in (
            ("route", self.route, MAX_ROUTE),
            ("contents", self.contents or (), MAX_CONTENTS),
            ("answers", self.answers, MAX_ANSWERS),
        ):
            if len(items) > most:
                raise InvalidInput(f"expected at most {most}", code="TOO_MANY", path=(name,))
        for number, content in enumerate(self.contents or ()):
            try:
                check_percent(content.percent, "percent")
            except InvalidInput as error:
                raise error.below("contents", number) from None
            _check_territory(content.origin, "contents", number, "origin")
        if sum(content.percent or 0 for content in self.contents or ()) > WHOLE_PERCENT:
            raise InvalidInput(
                "expected shares of at most 100 % together",
                code="OVER_100_PERCENT",
                path=("contents",),
            )
        answers = dict[str, bool]()
        for number, answer in enumerate(self.answers):
            with below("answers", number, "question"):
                parse_question_id(answer.question)
            if answer.yes is not answers.setdefault(answer.question, answer.yes):
                raise InvalidInput(
                    "expected one answer to a question: this one is answered by yes and by no",
                    code="CONTRADICTION",
                    path=("answers", number, "question"),
                )
        for name, place in self._places.items():
            _check_territory(place, name)
        for number, place in enumerate(self.route):
            _check_territory(place, "route", number)

    def _check_amounts(self) -> None:
        """Check that value and weights are more than 0, and the metal no heavier than the goods. Raises
        InvalidInput."""
        amounts = {"value": self.value, "weight": self.weight, "metalWeight": self.metal_weight}
        for name, amount in amounts.items():
            check_not_negative(amount, name)
            if amount == 0:
                raise InvalidInput("expected a number above 0", code="OUT_OF_RANGE", path=(name,))
        if self.weight and self.metal_weight and self.metal_weight > self.weight:
            raise InvalidInput(
                f"expected at most the weight of the goods, {self.weight:f} kg",
                code="CONTRADICTION",
                path=("metalWeight",),
            )

    def _check_form(self) -> None:
        """Check that the commodity and the code have goods in the form, and only goods have one. Raises
        InvalidInput."""
        if self.covers not in (None, Covers.GOODS):
            field = "form" if self.form else "hsCode" if self.hs_code else None
            if field == "form" or (field and self.covers in INTANGIBLE):
                raise InvalidInput(
                    f"expected no {field} beside covers {self.covers.name}: only goods have one",
                    code="CONTRADICTION",
                    path=(field,),
                )
        of_commodity = frozenset(self.commodity.forms) if self.commodity else frozenset[Form]()
        of_code = forms_of_code(self.hs_code or "")
        if Form.METAL in of_code:
            of_code |= {Form.ALLOY}  # the nomenclature means alloys with a metal
        for goods, forms in ((self.commodity, of_commodity), (self.hs_code, of_code)):
            if self.form is not None and forms and self.form not in forms:
                raise InvalidInput(
                    f"{str(self.form)!r} is not a form of {str(goods)!r}: expected"
                    f" {listed(sorted(forms), conjunction='or')}, or no form",
                    code="CONTRADICTION",
                    path=("form",),
                    suggestion=next(iter(forms)).name if len(forms) == 1 else "",
                )

    @property
    def _places(self) -> Mapping[str, Place]:
        """The stated places by their field, without the route."""
        places = {
            "codeOf": self.code_of,
            "origin": self.origin,
            "exportCountry": self.export_country,
            "destination": self.destination,
        }
        return {name: place for name, place in places.items() if place is not None}

    def leaves_out(self, covers: Covers) -> bool:
        """Return whether its rules are only named, because it does not state that it is technology."""
        return self.covers is None and covers in INTANGIBLE

    @property
    def exported_from(self) -> Place | None:
        """The place from which it is exported: the origin, unless another place is stated."""
        return self.export_country or self.origin

    def from_origin(self, origin: Place) -> Shipment:
        """Return the same goods for the same user from an origin, exported from there.

        Facts that belong to the stated origin are left out: the way, the exporter, the preference, the
        contents and the answers.
        """
        return structs.replace(
            self,
            origin=origin,
            export_country=None,
            route=(),
            exporter=None,
            preference=None,
            contents=None,
            answers=(),
        )

    @property
    def possible_commodities(self) -> frozenset[Commodity]:
        """The commodities that the goods can be: those of the code, within the stated commodity."""
        of_code = frozenset(goods_with_code(self.hs_code)) if self.hs_code else frozenset()
        if self.commodity is None:
            return of_code
        if self.has_foreign_code:
            return of_code | {self.commodity}
        return of_code & descendants(self.commodity) or frozenset({self.commodity})

    @property
    def is_known_by_open_code(self) -> bool:
        """Whether only a code describes the goods that also has other goods than commodities of the tracker.

        These are headings, and subheadings for goods that the nomenclature does not specify: by its
        convention their last digit, or the one before a final zero, is 9.
        """
        code = (self.hs_code or "")[:6]
        if self.commodity is not None or not code:
            return False
        return len(code) < 6 or code[5] == "9" or code[4:] == "90"

    @property
    def has_foreign_code(self) -> bool:
        """Whether the code is not recorded as one of the commodity, so that one of both may be wrong."""
        if self.commodity is None or self.hs_code is None:
            return False
        of = self.commodity
        own = descendants(of) if of.hs_codes else related(of)
        return own.isdisjoint(commodities_with_code(self.hs_code))

    @property
    def possible_forms(self) -> frozenset[Form]:
        """The forms that the goods can have by their form, code or commodity; empty if all are possible."""
        if self.form is not None:
            return frozenset({self.form})
        if self.hs_code is not None:
            return forms_of_code(self.hs_code)
        return frozenset(self.commodity.forms) if self.commodity else frozenset()

    @property
    def parties(self) -> Mapping[str, Name | None]:
        """The firms by the field that states them; None without a name, or with a word for an unknown one."""
        return {
            "exporter": _stated_name(self.exporter),
            "importer": _stated_name(self.importer),
            "endUser": _stated_name(self.end_user),
        }


@lru_cache(maxsize=10_000)
def _stated_name(text: Name | None) -> Name | None:
    """Return the name of a firm without invisible characters; None for a word that names none."""
    visible = "".join(one for one in text or "" if category(one) != "Cf").strip()
    return None if spelling(visible) in UNKNOWN_FIRM else visible


def _check_territory(place: Place, *path: str | int) -> None:
    """Check that goods can be in a place: a country or a union. Raises InvalidInput."""
    if place.is_aggregate and place not in unions():
        raise InvalidInput(
            f"{str(place)!r} ({place.name}) is neither a country nor a union: expected one, such as"
            " 'DE' or 'EU'",
            code="NOT_A_COUNTRY",
            path=path,
        )


FirmNames = Mapping[str, frozenset[str]]
"""The spellings of a firm, by the name that a shipment states."""


@dataclass(frozen=True, slots=True)
class Case:
    """A shipment on a day, with the recorded names of its firms."""

    shipment: Shipment
    day: date
    names: FirmNames
    similar: FirmNames = field(default_factory=dict)
    """The spellings of listed firms with similar names, by the name that the shipment states."""

    @property
    def readings(self) -> tuple[Case, ...]:
        """The case by its commodity and by its code if these are not related, otherwise the case itself."""
        of = self.shipment
        if not of.has_foreign_code:
            return (self,)
        by_commodity = structs.replace(of, hs_code=None, code_of=None)
        by_code = structs.replace(of, commodity=None)
        return replace(self, shipment=by_commodity), replace(self, shipment=by_code)

    def goods_query(self, issuer: str | None = None) -> ClauseQuery:
        """Return the filters on clauses of an issuer, or of all issuers, by the goods."""
        of = self.shipment
        return ClauseQuery(
            self.day, commodity=of.commodity, form=of.form, hs_code=self.code_for(issuer)
        )

    def code_for(self, issuer: str | None) -> HsCode | None:
        """Return the code in the tariff of an issuer: all digits only if it is of that tariff."""
        code, place = self.shipment.hs_code, self.shipment.code_of
        is_own = issuer is not None and self.is_in(place, issuer)
        return code if is_own else code and code[:INTERNATIONAL_DIGITS]

    @property
    def lacks_tariff(self) -> bool:
        """Whether the code has national digits of a tariff that is not stated."""
        code = self.shipment.hs_code or ""
        return len(code) > INTERNATIONAL_DIGITS and self.shipment.code_of is None

    def is_in(self, place: Place | None, issuer: str) -> bool:
        """Return whether a place is an issuer, or a member of the union that is."""
        return place is not None and issuer in (place, *unions_of(place, self.day))

    def spellings(self, firm: Name) -> frozenset[str]:
        """Return all recorded names of a firm in lower case, at least the stated one."""
        return self.names.get(firm, frozenset()) | {spelling(firm)}

    def is_similar_to(self, firm: Name, listed: frozenset[str]) -> bool:
        """Return whether a firm has a name similar to one of these spellings."""
        return not self.similar.get(firm, frozenset()).isdisjoint(listed)

    def answer(self, question: str) -> bool | None:
        """Return the stated answer to a question; None without one."""
        return next((one.yes for one in self.shipment.answers if one.question == question), None)
