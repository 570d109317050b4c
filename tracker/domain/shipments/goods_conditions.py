"""The conditions of a clause on the goods of a shipment: their commodity, form, code and items."""

import re
from collections.abc import Iterator

from tracker.domain.basics.control_vocabulary import Covers, Form
from tracker.domain.catalogue.commodities import (
    Commodity,
    commons,
    descendants,
    find_commodity,
    related,
)
from tracker.domain.controls.clause_query import names_only_group
from tracker.domain.controls.matching import (
    ALL_GOODS,
    DUAL_USE_ITEMS,
    GROUPS,
    goods_of,
    may_have_code_of,
    named_limits,
)
from tracker.domain.controls.scope import Item
from tracker.domain.shipments.question_id import DUAL_USE_ROLE
from tracker.domain.shipments.questions import MET, NOT_MET, Condition, ConditionsOfClause
from tracker.domain.shipments.shipment import INTANGIBLE
from tracker.domain.wording.phrases import commodities_phrase, listed

AND_PRODUCTS = re.compile(r" and (?:its|their) \w+$")
"""The end of a name that adds to the goods, as in `Natural flake graphite and its products`."""

MAX_QUESTIONS = 4
"""Maximum number of items of a clause that are asked for individually."""


class GoodsConditions(ConditionsOfClause):
    """The conditions of one clause on the goods of one shipment."""

    def of_goods(self) -> Iterator[Condition]:
        clause = self._clause
        yield self._subject()
        if (
            self._shipment.covers not in (None, clause.covers)
            and DUAL_USE_ITEMS in clause.commodities
        ):
            yield self._in_group(commodities_phrase([DUAL_USE_ITEMS]))
            return
        if ALL_GOODS in clause.commodities and not clause.items:
            yield self._is_of_known_lines()
            return
        if self._is_dual_use():
            return
        if names_only_group(self._case.goods_query(self._control.issuer), clause):
            yield self._in_group(
                commodities_phrase([one for one in clause.commodities if one in GROUPS])
            )
            return
        yield self._commodities()
        if clause.items and not clause.items_complete:
            yield self._items()
        else:
            yield self._forms()

    def _subject(self) -> Condition:
        """Whether the clause covers what is shipped: the goods themselves, or technology or other means to
        make them. Dual-use items are goods and technology, and duties on all goods are due for equipment."""
        clause, stated = self._clause, self._shipment.covers
        if stated not in (None, clause.covers):
            is_wider = ALL_GOODS in clause.commodities and stated not in INTANGIBLE
            is_wider |= DUAL_USE_ITEMS in clause.commodities
            return Condition(clause.covers is Covers.GOODS and is_wider)
        is_asked = stated is None and clause.covers in (Covers.EQUIPMENT, Covers.MATERIALS)
        if not is_asked or self._shipment.hs_code is not None:
            return MET
        return self._open(
            f"it covers {clause.covers}, not the minerals",
            "covers",
            f"Are the goods {clause.covers} that the clause lists?",
        )

    def _in_group(self, named: str) -> Condition:
        """Whether a group that the clause names without codes includes the goods."""
        reason = f"it names only {named}, without codes"
        if DUAL_USE_ITEMS in self._clause.commodities:
            text = f"Does {self._issuer} list the goods as dual-use items?"
            return self._open_for_issuer(reason, "group", DUAL_USE_ROLE, text)
        text = f"Does the act count the goods among {named}?"
        return self._open(reason, "group", text)

    def _is_of_known_lines(self) -> Condition:
        """Whether the exempt lines of a clause on all goods are recorded for the goods."""
        exempts_lines = any(item.hs for item in self._clause.exempt_items)
        if self._shipment.possible_commodities or not exempts_lines:
            return MET
        return Condition(None, "its exempt lines are recorded for minerals and metals only")

    def _is_dual_use(self) -> bool:
        """Whether a clause on dual-use items covers the goods, because each of them needs such a licence."""
        if DUAL_USE_ITEMS not in self._clause.commodities or self._clause.items:
            return False
        return bool(self._shipment.possible_commodities) and all(
            map(self._is_licensed, self._shipment.possible_commodities)
        )

    def _is_licensed(self, commodity: Commodity) -> bool:
        """Return whether the licences in force cover a commodity in all forms that the goods can have."""
        whole = [of.forms for of in self._licences.goods_of(commodity) if not of.limits]
        forms, possible = frozenset[Form]().union(*whole), self._shipment.possible_forms
        return bool(whole) and (not all(whole) or (bool(possible) and possible <= forms))

    def _commodities(self) -> Condition:
        """Whether it covers every commodity that the goods can be, not only a narrower one."""
        goods = self._shipment.possible_commodities
        uncovered = [
            one
            for one in goods
            if named_limits(self._clause, one) != () and not self._licences_cover(one)
        ]
        named = [one for one in self._clause.commodities if not goods.isdisjoint(related(one))]
        names = named or self._clause.commodities
        of, all_of = commodities_phrase(names), commodities_phrase(names, most=len(names))
        text = f"Are the goods {all_of if len(names) == 1 else f'among these: {all_of}'}?"
        if self._shipment.is_known_by_open_code and not self._has_codes:
            return self._open(f"the code also has goods besides {of}", "goods", text, "commodity")
        if not uncovered or self._has_codes:
            return MET
        return self._open(f"of the goods it names only {of}", "commodity", text, "commodity")

    def _licences_cover(self, commodity: Commodity) -> bool:
        goods = goods_of(self._clause, commodity, self._licences)
        return any(not of.limits for of in goods)

    @property
    def _has_codes(self) -> bool:
        """Return whether the codes of its items decide for a shipment with a code."""
        return self._shipment.hs_code is not None and any(item.hs for item in self._clause.items)

    def _forms(self) -> Condition:
        """Whether it covers every form that the goods can have."""
        possible = self._shipment.possible_forms
        covered = [
            goods.forms
            for one in self._shipment.possible_commodities
            for goods in goods_of(self._clause, one, self._licences)
        ]
        if not covered or any(not forms for forms in covered):
            return MET
        together = frozenset[object]().union(*covered)
        if possible and possible <= together:
            return MET
        forms = sorted(str(form) for form in together)
        which = "this form" if len(forms) == 1 else "one of these forms"
        text = f"Are the goods in {which}: {listed(forms, len(forms), 'or')}?"
        return self._open(f"it covers only {listed(forms)}", "form", text, "form")

    def _items(self) -> Condition:
        """Whether the goods are one of the items that the clause names."""
        by_item = [
            (number, item, self._is_item(number, item, self._clause.items_complete))
            for number, item in enumerate(self._clause.items)
            if self._is_near(item)
        ]
        if any(met for _, _, met in by_item):
            return MET
        open_items = [(number, item) for number, item, met in by_item if met is None]
        if not open_items:
            return NOT_MET
        names = [item.name for _, item in open_items[:MAX_QUESTIONS]]
        more = len(open_items) - len(names)
        listed = "; ".join(names) + (f" and {more} more items" if more > 0 else "")
        questions = tuple(
            self._question(f"item/{number}", f"Do the goods fit “{describe_item(item)}”?")
            for number, item in open_items[:MAX_QUESTIONS]
        )
        if self._case.lacks_tariff and any(item.hs for _, item in open_items):
            text = f"Which place's tariff has the code {self._shipment.hs_code}?"
            questions = (self._question("code", text, "codeOf"), *questions)
        return Condition(None, f"it covers only {listed}", questions)

    def _is_near(self, item: Item) -> bool:
        """Return whether the goods may be an item. For goods known by a code alone, codes decide.

        An item without a commodity is one of those of its clause, unless it has the whole code of the goods.
        """
        goods = self._shipment.possible_commodities
        if not goods or (item.hs and self._shipment.commodity is None):
            return True
        named = (item.commodity,) if item.commodity else self._clause.commodities
        if not item.commodity and (
            not item.hs
            or not {ALL_GOODS, *GROUPS}.isdisjoint(named)
            or self._has_code_of(item, complete=False)
        ):
            return True
        return any(of in related(one) or of in commons(one) for one in goods for of in named)

    def _is_item(self, number: int, item: Item, complete: bool) -> bool | None:
        """Return whether the goods are an item; None if the shipment does not say."""
        answer = self._case.answer(self._id(f"item/{number}"))
        if answer is not None:
            return answer
        if ALL_GOODS in self._clause.commodities and not may_have_code_of(
            item, self._shipment.possible_commodities
        ):
            return False
        whole = self._is_whole(item)
        by_name = self._code is None and whole
        of_code = by_name or self._has_code_of(item, complete or whole)
        parts = [of_code, None if item.threshold else True]
        if by_name or not (of_code and item.hs):
            form = self._is_form_of(item)
            is_listed = item.hs and self._code is not None and of_code is None
            parts += [self._is_commodity_of(item), None if is_listed and not form else form]
        if False in parts:
            return False
        return None if None in parts else True

    def _is_whole(self, item: Item) -> bool:
        """Return whether an item is a whole commodity, by its name or by all of its codes."""
        only = self._clause.commodities[0] if len(self._clause.commodities) == 1 else None
        of = item.commodity or only
        if of is None:
            return False
        return find_commodity(AND_PRODUCTS.sub("", item.name)) == of or (
            bool(of.hs_codes) and all(code.startswith(item.codes) for code in of.hs_codes)
        )

    def _has_code_of(self, item: Item, complete: bool) -> bool | None:
        code = self._code
        if not item.hs:
            return True if complete else None
        if code is None:
            return None
        if code.startswith(item.codes):
            return True
        return None if any(own.startswith(code) for own in item.codes) else False

    def _is_commodity_of(self, item: Item) -> bool | None:
        if item.commodity is None:
            return True
        inside = [one in descendants(item.commodity) for one in self._shipment.possible_commodities]
        return True if all(inside) else None

    def _is_form_of(self, item: Item) -> bool | None:
        possible = self._shipment.possible_forms
        if not item.forms:
            return True
        if possible and possible <= set(item.forms):
            return True
        return False if possible and possible.isdisjoint(item.forms) else None


def describe_item(item: Item) -> str:
    """Return an item with its threshold and code in the act."""
    threshold = f", {item.threshold}" if item.threshold else ""
    code = f" ({item.code})" if item.code else ""
    return f"{item.name}{threshold}{code}"
