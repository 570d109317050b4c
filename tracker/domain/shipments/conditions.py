"""The conditions under which a clause applies to a shipment: met, not met, or open.

A condition is open if the shipment does not state the fact that it depends on. Further facts can only settle
open conditions, so a clause that certainly applies keeps applying and no clause is added.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from tracker.domain.actors.firm import spelling
from tracker.domain.basics.control_vocabulary import ClauseStatus, Direction, Measure, Territory
from tracker.domain.catalogue.commodities import Commodity, related
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import unions_of
from tracker.domain.controls.matching import (
    ALL_GOODS,
    GROUPS,
    goes_to,
    may_have_code_of,
    reaches_place,
)
from tracker.domain.controls.scope import Item
from tracker.domain.shipments.goods_conditions import GoodsConditions, describe_item
from tracker.domain.shipments.question_id import LISTED_FIRM, IssuerQuestionId
from tracker.domain.shipments.questions import ANSWERS, MET, NOT_MET, Condition
from tracker.domain.shipments.rates import deciding_place
from tracker.domain.wording.phrases import commodities_phrase, listed, many, place_in_text

EXEMPTS_ALL_BUT = "All but "
"""The beginning of exemptions of all goods with exceptions: these limit a clause, instead of excepting from
it."""
MAX_FIRMS = 3
"""Maximum number of firms of a list that a reason names."""
KEPT_TO_EXPORTERS = frozenset({Measure.BAN, Measure.STATE_TRADING})
"""Measures that close a trade to all firms but the exporters that a clause names."""
BUYERS = ("importer", "endUser")
"""Fields of the parties to whom a list for some destinations applies."""
LIMIT = re.compile(r"\d")
"""A grade, a size or a day in the description of exempt goods."""
GRADE = re.compile(r"(?:less than|with|of) \d[\d.]* (?:%|ppm|mm)(?! by weight)")
"""A grade or a size in an exemption, which may also cite days, rates and shares of other articles."""
USES = re.compile(r",| and | or ", re.IGNORECASE)
"""Text between the uses that a clause names."""
USE_WORDS = re.compile(r"\b(?:end[- ])?(?:uses?|users?|purposes?)\b")
NO_PREFERENCE = "none"
"""The text of `preference` for goods that enter under no agreement."""


class Conditions(GoodsConditions):
    """The conditions of one clause for one shipment."""

    def all(self) -> Iterator[Condition]:
        """Yield every condition; the clause does not apply if one is not met."""
        yield from self._way()
        yield from self.of_goods()
        yield from self._uses()
        yield self._firms()
        yield self._exporters()
        yield self._preference()
        yield from self._within_quotas()
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
            name = place_in_text(issuer)
            reason = f"it may also cover goods in transit through {name}"
            text = f"Do the acts of {name} cover goods in transit?"
            return self._open_for_issuer(reason, "transit", "transit", text)
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
            f" {place_in_text(issuer)}{share}, or were they made with such goods?"
        )
        is_enough = self._is_enough(
            [
                content.percent
                for content in shipment.contents or ()
                if case.is_in(content.origin, issuer) and self._names(content.commodity)
            ]
        )
        if is_enough:
            return MET
        if shipment.contents is None or is_enough is None:
            reason = "the foreign content of the goods is not stated"
            return self._open(reason, "content", question, "contents")
        if shipment.origin is None:
            reason = "the country of production is not stated"
            return self._open(reason, "origin", "Where are the goods produced?", "origin")
        return NOT_MET

    def _is_enough(self, shares: Sequence[Decimal | None]) -> bool | None:
        """Return whether contents reach the least share together; None if one that matters is not known."""
        least = self._clause.de_minimis_percent
        if least is None or not shares:
            return bool(shares)
        known = [share for share in shares if share is not None]
        if sum(known) >= least:
            return True
        return False if len(known) == len(shares) else None

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
        clause, day = self._clause, self._case.day
        place = deciding_place(self._case, self._control, clause)
        field, done = (
            ("exportCountry", "exported") if clause.by_consignment else ("origin", "produced")
        )
        if place is None:
            if not clause.origins and not any(one.exempt for one in clause.exceptions):
                return MET
            what = "place of export" if clause.by_consignment else "country of production"
            asked = f"Where are the goods {done}?"
            return self._open(f"the {what} is not stated", field, asked, field)
        own = self._case.is_in(place, self._control.issuer)
        if own or not reaches_place(clause, clause.origins, place, day):
            return NOT_MET
        return self._of_members(clause.origins, place, field)

    def _of_members(self, named: Iterable[Place], place: Place, field: str) -> Condition:
        """Leave open which member of a union is meant, if the clause names only some."""
        places = [*named]
        if not places or not {place, *unions_of(place, self._case.day)}.isdisjoint(places):
            return MET
        names = listed(map(place_in_text, places))
        what = "place of export" if field == "exportCountry" else field
        question = f"Is the {what} {listed(map(place_in_text, places), conjunction='or')}?"
        return self._open(f"it names only {names}", field, question, field)

    # --- use, firms, exceptions

    def _uses(self) -> Iterator[Condition]:
        use, stated = self._clause.end_use, self._shipment.end_use
        if use is None:
            return
        if stated is not None and not _uses_in(stated).isdisjoint(_uses_in(use)):
            yield MET
            return
        field = "endUse" if stated is None else ANSWERS
        text = f"Is the buyer or the use one of these: {use}?"
        role = f"end-use/{_slug(use)}"
        yield self._open_for_issuer(
            f"it is limited to the end use {use}", "end-use", role, text, field
        )

    def _firms(self) -> Condition:
        """Whether a party is one of the firms that the clause is limited to."""
        clause = self._clause
        if not clause.entities and clause.entity_count is None:
            return MET
        listed = frozenset(map(spelling, clause.entities))
        # A list for some destinations is of buyers there; any other may be of exporters too.
        roles = BUYERS if clause.destinations else ("exporter", *BUYERS)
        parties = {field: self._shipment.parties[field] for field in roles}
        firms = [firm for firm in parties.values() if firm]
        if any(not self._case.spellings(firm).isdisjoint(listed) for firm in firms):
            return MET
        missing = [field for field, firm in parties.items() if firm is None]
        all_named = clause.entity_count in (None, len(clause.entities))
        is_similar = any(self._case.is_similar_to(firm, listed) for firm in firms)
        if not missing and all_named and not is_similar:
            return NOT_MET
        return self._on_list(missing)

    def _on_list(self, missing: Sequence[str]) -> Condition:
        """Ask once whether a firm is on any list of the issuer, and only then for each list."""
        clause, field = self._clause, missing[-1] if missing else ANSWERS
        number = clause.entity_count or len(clause.entities)
        who = "the end user or the importer" if missing and clause.destinations else "a party"
        reason = f"it is limited to {many(number, 'listed firm', space=' ')}"
        if clause.entities:
            reason += f" ({listed(clause.entities, MAX_FIRMS)})"
        if self._case.answer(str(IssuerQuestionId(self._control.issuer, LISTED_FIRM))):
            act = self._control.instrument or self._control.title
            firms = f"one of the {number} firms of {act}" if number > 1 else f"the firm of {act}"
            return self._open(reason, "firm", f"Is {who} {firms}?", field)
        text = f"Is {who} on a control list of {self._issuer}?"
        return self._open_for_issuer(reason, "firm", LISTED_FIRM, text, field)

    def _exporters(self) -> Condition:
        """Whether the exporter is one of those that the clause names, or none of them."""
        names = self._clause.exporters
        if not names:
            return MET
        firms, exporter = listed(names), self._shipment.exporter
        closes = self._clause.measure in KEPT_TO_EXPORTERS
        if exporter is not None:
            is_named = not self._case.spellings(exporter).isdisjoint(map(spelling, names))
            return Condition(is_named is not closes)
        text = f"Is the exporter {firms}?"
        if closes:
            return self._unless("exporter", text, field="exporter")
        return self._open(f"it is limited to exports by {firms}", "exporter", text, "exporter")

    def _preference(self) -> Condition:
        """Whether the goods do not enter free of duty under an agreement whose goods are exempt."""
        exempt, stated = self._clause.exempt_preferences, self._shipment.preference
        if not exempt:
            return MET
        if stated is not None and spelling(stated) in map(spelling, (*exempt, NO_PREFERENCE)):
            return Condition(spelling(stated) == NO_PREFERENCE)
        named = listed(exempt, conjunction="or")
        field = "preference" if stated is None else ANSWERS
        text = f"Do the goods enter free of duty under {named}?"
        condition = self._unless("preference", text, field)
        reason = f"goods that enter free of duty under {named} are exempt"
        return replace(condition, reason=reason, is_exception=False)

    def _within_quotas(self) -> Iterator[Condition]:
        """Whether the goods are beyond the volumes that the act allows although it bans the goods."""
        if self._clause.measure is not Measure.BAN:
            return
        for state in self._control.clauses:
            quota, statuses = state.clause, {state.status, self._state.status}
            if quota.measure is Measure.QUOTA and statuses == {ClauseStatus.IN_FORCE}:
                of = Conditions(self._case, self._control, state, self._licences)
                if not any(one.met is False for one in of.all()):
                    text = f"Are the goods within the volume of clause {quota.id}?"
                    condition = self._unless(f"quota/{quota.id}", text)
                    reason = f"goods within the volume of clause {quota.id} are exempt"
                    yield replace(condition, reason=reason, is_exception=False)

    def _exceptions(self) -> Iterator[Condition]:
        """Yield the exceptions of the clause: it applies unless one is stated."""
        clause = self._clause
        for number, item in enumerate(clause.exempt_items):
            if self._is_near(item) and False not in (
                self._has_code_of(item, complete=True),
                self._is_form_of(item),
            ):
                yield from self._outside(number, item)
        if clause.exemptions:
            exempt = clause.exemptions.rstrip(".")
            if exempt.startswith(EXEMPTS_ALL_BUT):
                scope = exempt.removeprefix(EXEMPTS_ALL_BUT)
                yield self._open(
                    f"it covers only {scope}", "scope", f"Is it one of these: {scope}?"
                )
            else:
                condition = self._unless("exemption", f"Does this exemption apply: {exempt}?")
                is_graded = GRADE.search(exempt) is not None
                reason = f"it exempts {exempt}" if is_graded else condition.reason
                yield replace(condition, reason=reason, is_exception=not is_graded)
        for suspension in self._state.partial_suspensions:
            yield self._unless_firm(suspension.entities)

    def _outside(self, number: int, item: Item) -> Iterator[Condition]:
        """Whether the goods are not exempt.

        A grade, a size, a day or a code that is not stated leaves the clause open; other exempt goods are
        exceptions. Goods that are a listed item by an answer have the grade of that item.
        """
        of_all, field = ALL_GOODS in self._clause.commodities, ANSWERS
        if of_all and not may_have_code_of(item, self._shipment.possible_commodities):
            return
        if of_all and item.hs:
            field = "codeOf" if self._case.lacks_tariff else "hsCode"
        text = describe_item(item)
        condition = self._unless(f"exempt/{number}", f"Do the goods fit “{text}”?", field)
        if item.hs or (LIMIT.search(text) and not self._is_listed_by_answer):
            condition = replace(condition, reason=f"it exempts {text}", is_exception=False)
        yield condition

    @property
    def _is_listed_by_answer(self) -> bool:
        items = range(len(self._clause.items))
        return any(self._case.answer(self._id(f"item/{number}")) for number in items)

    def _unless_firm(self, firms: Iterable[str]) -> Condition:
        exempt = frozenset(map(spelling, firms))
        for firm in self._shipment.parties.values():
            if firm and not self._case.spellings(firm).isdisjoint(exempt):
                return NOT_MET
        return Condition(None, f"suspended for {listed(firms)}", is_exception=True)

    def _unless(self, part: str, text: str, field: str = ANSWERS) -> Condition:
        answer = self._case.answer(self._id(part))
        if answer is not None:
            return Condition(not answer)
        return Condition(None, text, (self._question(part, text, field),), is_exception=True)


def _uses_in(text: str) -> set[str]:
    """Return the uses that a text names, without words such as `users`: `military` in `military users and
    military uses`."""
    parts = (USE_WORDS.sub("", spelling(part)).strip() for part in USES.split(text))
    return {part for part in parts if part} or {spelling(text)}


def _slug(text: str) -> str:
    """Return a text as a part of an id."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
