"""Coverage of the output of a stage by a clause, and its limits in words. Pure."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from tracker.domain.basics.control_vocabulary import ClauseEnd, Covers, Form, Measure, Territory
from tracker.domain.basics.vocabulary import Stage
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import members_of, unions_of
from tracker.domain.controls.clause import Clause, ClauseState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import Goods
from tracker.domain.wording.phrases import date_phrase

REFINED = frozenset({Form.OXIDE, Form.COMPOUND, Form.METAL, Form.ALLOY, Form.INTERMEDIATE})
FORMS_OF_STAGE: Mapping[Stage, frozenset[Form]] = {
    Stage.MINE: frozenset({Form.ORE, Form.CONCENTRATE}),
    Stage.REFINERY: REFINED,
    Stage.SMELTER: REFINED,
    Stage.PRIMARY: REFINED,
    Stage.PLANT: REFINED,
    Stage.SECONDARY: frozenset({Form.SCRAP, Form.METAL}),
}
"""Traded forms of the output of a stage: a clause on none of them does not cover the output."""
MAIN_FORMS: Mapping[Stage, frozenset[Form]] = {
    **FORMS_OF_STAGE,
    **dict.fromkeys((Stage.SMELTER, Stage.PRIMARY, Stage.SECONDARY), frozenset({Form.METAL})),
}
"""Forms that figures of a stage count: a clause on all of these covers the output fully."""

UNKNOWN_END_COVERS = timedelta(days=365)
"""The period after the announcement, or the first day if that is later, in which a clause with an unknown
end can cover a supply fully."""


def limits_of(
    control: ExportControlState, state: ClauseState, destination: Place | None, day: date
) -> Iterator[str]:
    """Return the reasons why a clause covers its goods only partly, for a destination on a day."""
    clause = state.clause
    toward = set() if destination is None else {destination, *unions_of(destination, day)}
    if clause.destinations and toward.isdisjoint(
        clause.destinations
    ):  # only some members of a union
        yield f"only to {', '.join(clause.destinations)}"
    for one in clause.exceptions:
        exempt = one.exempt and one.holds_on(day)
        if exempt and (
            destination is None or not members_of(destination, day).isdisjoint(one.places)
        ):
            yield f"not to {', '.join(one.places)}"
    if clause.end_use:
        yield f"only for the end use {clause.end_use}"
    if clause.entities or clause.entity_count:
        yield f"only for {clause.entity_count or len(clause.entities)} named entities"
    if clause.exemptions:
        yield f"except: {clause.exemptions}"
    if newest := _long_since(control, clause, day):
        yield f"its end is not recorded: it may have ended since {date_phrase(newest)}"
    for suspension in state.partial_suspensions:
        yield f"suspended for {', '.join(suspension.entities)}"
    if not control.official:
        yield "reported by others, denied by its issuer"


def _long_since(control: ExportControlState, clause: Clause, day: date) -> date | None:
    """Return the newest recorded day of a clause with an unknown end, if it is too old for full coverage."""
    if clause.end is not ClauseEnd.UNKNOWN:
        return None
    newest = max(control.announced_on.first, clause.first_day or date.min)
    return newest if day > newest + UNKNOWN_END_COVERS else None


def other_than_goods(clause: Clause) -> Iterator[str]:
    """Return the reason why a clause does not cover the exported goods themselves, although it relates to
    them."""
    if clause.covers is not Covers.GOODS:
        yield f"only {clause.covers}, not the goods"
    if clause.measure is Measure.INVESTIGATION:
        yield "only an investigation"
    if clause.territory is Territory.ONLY_ABROAD:
        share = clause.de_minimis_percent
        yield "only goods made abroad" + ("" if share is None else f", from a share of {share} %")


class SupplyForms(NamedTuple):
    """The forms of a supply: all that it can have, and those that a clause must cover to cover all of it."""

    possible: frozenset[Form]
    main: frozenset[Form]


def forms_at(stage: Stage | None, commodity: Commodity) -> SupplyForms:
    """Return the forms of the output of a stage. Without a stage the output has all forms."""
    possible, main = (_forms_of(commodity, stage, forms) for forms in (FORMS_OF_STAGE, MAIN_FORMS))
    return SupplyForms(possible, main)


def forms_in(product: Collection[Form], commodity: Commodity) -> SupplyForms:
    """Return the forms of a traded product; a clause must cover each of them. Empty means all forms."""
    if not product:
        return forms_at(None, commodity)
    forms = frozenset(product)
    own = forms & frozenset(commodity.forms) or forms
    return SupplyForms(own, own)


class FormLimit(NamedTuple):
    """The limit of a clause by its forms, in words, and whether it covers the supply at all."""

    limit: str
    reaches: bool


def form_limit(goods: Goods, supply: SupplyForms) -> FormLimit | None:
    """Return the limit of a clause's forms for a supply; None if there is no limit."""
    if not goods.forms or supply.main <= goods.forms:
        return None
    named = ", ".join(form for form in Form if form in goods.forms)
    return FormLimit(f"only as {named}", not supply.possible.isdisjoint(goods.forms))


def _forms_of(
    commodity: Commodity, stage: Stage | None, forms: Mapping[Stage, frozenset[Form]]
) -> frozenset[Form]:
    """Return the possible forms of a commodity at a stage."""
    of_stage, own = forms[stage] if stage else frozenset(Form), frozenset(commodity.forms)
    return of_stage & own or own or of_stage
