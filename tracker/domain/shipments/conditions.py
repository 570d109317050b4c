"""The conditions under which a clause applies to a shipment: met, not met, or open.

A condition is open if the shipment does not state the fact that it depends on. Further facts can only settle
open conditions, so a clause that certainly applies keeps applying and no clause is added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from tracker.domain.clause_query import match_of
from tracker.domain.commodities import Commodity, descendants, find_commodity, related
from tracker.domain.firm import spelling
from tracker.domain.matching import (
    DUAL_USE_ITEMS,
    GROUPS,
    exception_for,
    goes_to,
    goods_of,
    named_limits,
    reaches_place,
)
from tracker.domain.phrases import commodities_phrase, list_phrase, place_in_text
from tracker.domain.places import Place
from tracker.domain.scope import Item
from tracker.domain.shipments.questions import ANSWERS, MET, NOT_MET, Condition, ConditionsOfClause
from tracker.domain.unions import unions_of
from tracker.domain.vocabulary import Covers, Direction, Form, Match, Territory

EXEMPTS_ALL = "All "
"""The beginning of exemptions of all goods with exceptions: these limit a clause, instead of excepting from
it."""
MAX_QUESTIONS = 4
"""Maximum number of items of a clause that are asked for individually."""


class Conditions(ConditionsOfClause):
    """The conditions of one clause for one shipment."""

    def all(self) -> Iterator[Condition]:
        """Yield every condition; the clause does not apply if one is not met."""
        yield from self._way()
        yield from self._goods()
        yield from self._uses()
        yield self._firms()
        yield from self._exceptions()

    # --- the way

    def _way(self) -> Iterator[Condition]:
        match self._control.direction:
            case Direction.EXPORT:
                yield self._leaves()
                yield self._reaches_destination()
            case Direction.IMPORT:
                yield self._enters()
                yield self._comes_from_origin()
            case _:
                yield NOT_MET

    def _leaves(self) -> Condition:
        """Whether the goods leave the issuer's territory, or are covered abroad."""
        case, shipment, issuer = self._case, self._shipment, self._control.issuer
        if shipment.exported_from is None:
            return self._open(
                "the place of export is not stated",
                "origin",
                "Where are the goods produced and exported?",
                "origin",
            )
        if case.is_in(shipment.exported_from, issuer):
            return Condition(self._clause.territory is not Territory.ONLY_ABROAD)
        if self._clause.territory is not Territory.HOME:
            return self._has_content()
        if any(case.is_in(place, issuer) for place in shipment.route):
            return self._open(
                f"the record does not say whether it covers transit through {place_in_text(issuer)}",
                "transit",
                f"Does the clause cover goods in transit through {place_in_text(issuer)}?",
            )
        return NOT_MET

    def _has_content(self) -> Condition:
        """Whether goods abroad contain goods of the issuer, from the share in the clause on."""
        case, shipment, issuer = self._case, self._shipment, self._control.issuer
        if case.is_in(shipment.origin, issuer):
            return MET
        least = self._clause.de_minimis_percent
        share = "" if least is None else f" of {least} % of the value or more"
        question = (
            f"Do the goods contain {commodities_phrase(self._clause.commodities)} from"
            f" {place_in_text(issuer)}{share}, or were they made with it?"
        )
        reason = "the foreign content of the goods is not stated"
        if shipment.contents is None:
            return self._open(reason, "content", question, "contents")
        settled = [
            self._is_enough(content.percent)
            for content in shipment.contents
            if case.is_in(content.origin, issuer) and self._names(content.commodity)
        ]
        if True in settled:
            return MET
        return self._open(reason, "content", question, "contents") if None in settled else NOT_MET

    def _is_enough(self, percent: Decimal | None) -> bool | None:
        least = self._clause.de_minimis_percent
        if least is None:
            return True
        return None if percent is None else percent >= least

    def _names(self, commodity: Commodity) -> bool:
        """Return whether the clause names a commodity, a wider or a narrower one, or only a group."""
        named = self._clause.commodities
        return not related(commodity).isdisjoint(named) or not GROUPS.isdisjoint(named)

    def _reaches_destination(self) -> Condition:
        clause, place, day = self._clause, self._shipment.destination, self._case.day
        if place is None:
            if not clause.destinations and not any(one.exempt for one in clause.exceptions):
                return MET
            return self._open(
                "the destination is not stated",
                "destination",
                "Where are the goods imported?",
                "destination",
            )
        if not goes_to(self._control, clause, place, day):
            return NOT_MET
        return self._of_members(clause.destinations, place, "destination")

    def _enters(self) -> Condition:
        place = self._shipment.destination
        if place is None:
            return self._open(
                "the destination is not stated",
                "destination",
                "Where are the goods imported?",
                "destination",
            )
        return Condition(self._case.is_in(place, self._control.issuer))

    def _comes_from_origin(self) -> Condition:
        clause, place, day = self._clause, self._shipment.origin, self._case.day
        if place is None:
            if not clause.origins and not any(one.exempt for one in clause.exceptions):
                return MET
            return self._open(
                "the country of production is not stated",
                "origin",
                "Where are the goods produced?",
                "origin",
            )
        own = self._case.is_in(place, self._control.issuer)
        if own or not reaches_place(clause, clause.origins, place, day):
            return NOT_MET
        return self._of_members(clause.origins, place, "origin")

    def _of_members(self, named: Iterable[Place], place: Place, field: str) -> Condition:
        """Leave open which member of a union is meant, if the clause names only some."""
        places = [*named]
        if not places or not {place, *unions_of(place, self._case.day)}.isdisjoint(places):
            return MET
        names = list_phrase(map(place_in_text, places))
        return self._open(f"it names only {names}", field, f"Is the {field} {names}?", field)

    # --- the goods

    def _goods(self) -> Iterator[Condition]:
        clause = self._clause
        if clause.covers in (Covers.TECHNOLOGY, Covers.SERVICES):
            yield NOT_MET
            return
        if clause.covers is not Covers.GOODS and self._shipment.hs_code is None:
            yield self._open(
                f"it covers {clause.covers}, not the minerals",
                "covers",
                f"Are the goods {clause.covers} that the clause lists?",
            )
        if self._is_dual_use():
            return
        if match_of(self._case.goods_query(self._control.issuer), clause) is Match.POSSIBLE:
            named = commodities_phrase(set(clause.commodities) & GROUPS)
            yield self._open(
                f"it names only {named}, without codes",
                "group",
                f"Do {named} in the sense of the act include the goods?",
            )
            return
        yield self._commodities()
        if clause.items and not clause.items_complete:
            yield self._items()
        else:
            yield self._forms()

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
        of = commodities_phrase(self._clause.commodities)
        if self._shipment.is_known_by_open_code and not self._has_codes:
            text = f"Are the goods among these: {of}?"
            return self._open(f"the code also has goods besides {of}", "goods", text, "commodity")
        if not uncovered or self._has_codes:
            return MET
        text = f"Are the goods among these: {of}?"
        return self._open(f"it names only {of}", "commodity", text, "commodity")

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
        named = list_phrase(sorted(str(form) for form in together))
        return self._open(
            f"it covers only {named}", "form", f"Are the goods in this form: {named}?", "form"
        )

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
            self._question(f"item/{number}", f"Do the goods fit “{_description(item)}”?")
            for number, item in open_items[:MAX_QUESTIONS]
        )
        if self._case.lacks_tariff and any(item.hs for _, item in open_items):
            text = f"Which place's tariff has the code {self._shipment.hs_code}?"
            questions = (self._question("code", text, "codeOf"), *questions)
        return Condition(None, f"it covers only {listed}", questions)

    def _is_near(self, item: Item) -> bool:
        goods = self._shipment.possible_commodities
        return (
            item.commodity is None
            or not goods
            or any(item.commodity in related(one) for one in goods)
        )

    def _is_item(self, number: int, item: Item, complete: bool) -> bool | None:
        """Return whether the goods are an item; None if the shipment does not say."""
        answer = self._case.answer(self._id(f"item/{number}"))
        if answer is not None:
            return answer
        of_code = self._has_code_of(item, complete or _is_whole(item))
        parts = [of_code, None if item.threshold else True]
        if not (of_code and item.hs):
            parts += [self._is_commodity_of(item), self._is_form_of(item)]
        if False in parts:
            return False
        return None if None in parts else True

    def _has_code_of(self, item: Item, complete: bool) -> bool | None:
        code = self._code
        if not item.hs:
            return True if complete else None
        if code is None:
            return None
        if any(code.startswith(own) for own in item.hs):
            return True
        return None if any(own.startswith(code) for own in item.hs) else False

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

    # --- use, firms, exceptions

    def _uses(self) -> Iterator[Condition]:
        use, stated = self._clause.end_use, self._shipment.end_use
        if use is None:
            return
        if stated is not None and spelling(stated) == spelling(use):
            yield MET
            return
        field = "endUse" if stated is None else ANSWERS
        text = f"Is the end use in the sense of the act “{use}”?"
        yield self._open(f"it is limited to the end use {use}", "end-use", text, field)

    def _firms(self) -> Condition:
        """Whether a party is one of the firms that the clause is limited to."""
        clause = self._clause
        if not clause.entities and clause.entity_count is None:
            return MET
        listed = frozenset(map(spelling, clause.entities))
        parties = self._shipment.parties
        if any(
            firm and not self._case.spellings(firm).isdisjoint(listed) for firm in parties.values()
        ):
            return MET
        missing = [field for field, firm in parties.items() if firm is None and field != "exporter"]
        all_named = clause.entity_count in (None, len(clause.entities))
        if not missing and all_named:
            return NOT_MET
        number = clause.entity_count or len(clause.entities)
        field = missing[-1] if missing else ANSWERS
        who = "the end user or the importer" if missing else "a party"
        return self._open(
            f"it is limited to {number} listed firms",
            "firm",
            f"Is {who} one of the {number} listed firms?",
            field,
        )

    def _exceptions(self) -> Iterator[Condition]:
        """Yield the exceptions of the clause: it applies unless one is stated."""
        clause = self._clause
        for number, item in enumerate(clause.exempt_items):
            if self._is_near(item) and False not in (
                self._has_code_of(item, complete=True),
                self._is_form_of(item),
            ):
                yield self._unless(f"exempt/{number}", f"Do the goods fit “{_description(item)}”?")
        if clause.exemptions:
            text = f"Does an exemption apply: {clause.exemptions.rstrip('.')}?"
            exemption = self._unless("exemption", text)
            is_scope = clause.exemptions.startswith(EXEMPTS_ALL)
            yield replace(exemption, reason=text, is_exception=not is_scope)
        for suspension in self._state.partial_suspensions:
            yield self._unless_firm(suspension.entities)
        place = (
            self._shipment.destination
            if self._control.direction is Direction.EXPORT
            else self._shipment.origin
        )
        special = place and exception_for(clause, place, self._case.day)
        if special and special.note and not special.exempt:
            yield Condition(None, special.note, is_exception=True)

    def _unless_firm(self, firms: Iterable[str]) -> Condition:
        exempt = frozenset(map(spelling, firms))
        for firm in self._shipment.parties.values():
            if firm and not self._case.spellings(firm).isdisjoint(exempt):
                return NOT_MET
        return Condition(None, f"suspended for {list_phrase(firms)}", is_exception=True)

    def _unless(self, part: str, text: str) -> Condition:
        answer = self._case.answer(self._id(part))
        if answer is not None:
            return Condition(not answer)
        return Condition(None, text, (self._question(part, text),), is_exception=True)


def _is_whole(item: Item) -> bool:
    """Return whether an item has the name of a commodity, so that it is not only a part of it."""
    return item.commodity is not None and find_commodity(item.name) == item.commodity


def _description(item: Item) -> str:
    """Return an item with its threshold and code in the act."""
    threshold = f", {item.threshold}" if item.threshold else ""
    code = f" ({item.code})" if item.code else ""
    return f"{item.name}{threshold}{code}"
