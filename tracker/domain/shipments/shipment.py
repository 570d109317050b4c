"""A shipment: the goods, the way and the parties, as far as they are stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tracker.domain.clause_query import ClauseQuery
from tracker.domain.commodities import Commodity, commodities_with_code, goods_with_code, related
from tracker.domain.firm import spelling
from tracker.domain.harmonized_system import forms_of_code
from tracker.domain.places import Place
from tracker.domain.scope import HsCode
from tracker.domain.unions import unions_of
from tracker.domain.values import Name, Value
from tracker.domain.vocabulary import Form
from tracker.domain.wording import check_percent
from tracker.errors import InvalidInput

MAX_CONTENTS = 20
MAX_ROUTE = 10
MAX_ANSWERS = 100
INTERNATIONAL_DIGITS = 6
"""Number of digits of a code of the Harmonized System; the others are national."""


class Content(Value, frozen=True, kw_only=True):
    """Foreign content of the goods: a commodity that they contain or were made of."""

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
    """A shipment. Everything but the goods may be left out; a clause that depends on it then applies only
    possibly."""

    commodity: Commodity | None = None
    """The commodity of the goods, such as `tungsten`; needed without `hsCode`."""
    hs_code: HsCode | None = None
    """Their code of the Harmonized System or of a tariff, 4 to 10 digits without dots."""
    code_of: Place | None = None
    """The place whose tariff has the code, if it has more than 6 digits: only the first 6 are the same
    everywhere. Without it the other digits settle nothing."""
    form: Form | None = None
    """The form in which they are traded."""
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
    contents: tuple[Content, ...] | None = None
    """All foreign content of the goods; null if it is not stated, empty if there is none."""
    answers: tuple[QuestionAnswer, ...] = ()
    """Answers to open questions."""

    def __post_init__(self) -> None:
        if self.commodity is None and self.hs_code is None:
            raise InvalidInput(
                "expected the goods: a commodity, an HS code or both",
                code="GOODS_REQUIRED",
                path=("commodity",),
            )
        if self.code_of is not None and self.hs_code is None:
            raise InvalidInput(
                "expected the code that is of this place", code="FIELD_REQUIRED", path=("hsCode",)
            )
        for field, items, most in (
            ("route", self.route, MAX_ROUTE),
            ("contents", self.contents or (), MAX_CONTENTS),
            ("answers", self.answers, MAX_ANSWERS),
        ):
            if len(items) > most:
                raise InvalidInput(f"expected at most {most}", code="TOO_MANY", path=(field,))
        for number, content in enumerate(self.contents or ()):
            try:
                check_percent(content.percent, "percent")
            except InvalidInput as error:
                raise error.below("contents", number) from None

    @property
    def exported_from(self) -> Place | None:
        """The place from which it is exported: the origin, unless another place is stated."""
        return self.export_country or self.origin

    @property
    def possible_commodities(self) -> frozenset[Commodity]:
        """The commodities that the goods can be."""
        if self.commodity is not None:
            return frozenset({self.commodity})
        return frozenset(goods_with_code(self.hs_code or ""))

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
        """Whether the code is not recorded as one of the commodity, so that rules on it may be missed."""
        if self.commodity is None or self.hs_code is None:
            return False
        return related(self.commodity).isdisjoint(commodities_with_code(self.hs_code))

    @property
    def possible_forms(self) -> frozenset[Form]:
        """The forms that the goods can have by their form or code; empty if all are possible."""
        if self.form is not None:
            return frozenset({self.form})
        return forms_of_code(self.hs_code) if self.hs_code else frozenset()

    @property
    def parties(self) -> Mapping[str, Name | None]:
        """The firms by the field that states them."""
        return {"exporter": self.exporter, "importer": self.importer, "endUser": self.end_user}


FirmNames = Mapping[str, frozenset[str]]
"""The spellings of a firm, by the name that a shipment states."""


@dataclass(frozen=True, slots=True)
class Case:
    """A shipment on a day, with the recorded names of its firms."""

    shipment: Shipment
    day: date
    names: FirmNames

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

    def answer(self, question: str) -> bool | None:
        """Return the stated answer to a question; None if there is none."""
        return next((one.yes for one in self.shipment.answers if one.question == question), None)
