"""The words of the domain as GraphQL enums, whose values are in capitals."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from projections.fold.transitions import TransitionKind
from projections.query.changes import ChangeKind
from schema.base.decorators import description_of
from tracker.domain import vocabulary

MEANINGS: dict[type[Enum], dict[str, str]] = {
    vocabulary.AllianceStatus: {
        "active": "It is there.",
        "succeeded": "Another alliance has taken its place.",
        "dissolved": "It has ended.",
    },
    vocabulary.AnnouncementKind: {
        "statement": "It says something, and promises nothing.",
        "commitment": "It promises something: money, an act, a date.",
        "project": "It starts or tells of a project.",
        "dispute": "It contests an act of another, at the WTO or elsewhere.",
        "response": "It answers an act of another.",
        "assessment": "It judges a matter: a report, a ruling, a study.",
    },
    vocabulary.Checked: {
        "page": "The page or document that the source names was read.",
        "data_file": "The number was read from the publisher's file of data.",
        "seed": "It was taken from a list that somebody else had made from sources.",
        "memory": "Nobody has looked: it was told from memory.",
    },
    vocabulary.ClauseEnd: {
        "open": "It applies until further notice.",
        "unknown": "It has ended or will end, and no source says when.",
        "condition": "It ends when a condition is met.",
    },
    vocabulary.ClauseStatus: {
        "proposed": "Somebody with the right to do so has proposed it; it is not law.",
        "recommended": "It is recommended to whoever may decide; it is not law.",
        "negotiated": "It is under negotiation; it is not law.",
        "announced": "It is adopted and known, and not yet in force.",
        "in_force": "It applies.",
        "suspended": "It does not apply for a time, and returns.",
        "expired": "It has ended at the end that it had.",
        "repealed": "It was repealed, or merged into another instrument.",
        "withdrawn": "It was taken back before it was in force.",
        "lapsed": "It came to nothing: nobody acted in time.",
        "concluded": "The investigation or negotiation ended without a measure.",
    },
    vocabulary.Covers: {
        "goods": "The goods themselves.",
        "technology": "The know-how to make them.",
        "equipment": "The machines to make them.",
        "materials": "The auxiliary materials to make them.",
        "services": "Services, such as brokering, or work of persons.",
    },
    vocabulary.Direction: {
        "export": "What leaves the issuer.",
        "import": "What enters it.",
        "production": "What is made or mined in it.",
    },
    vocabulary.Form: {
        "ore": "Ore, as mined.",
        "concentrate": "Concentrate of ore.",
        "intermediate": "Matte, hydroxide, nickel pig iron and other products on the way to metal.",
        "oxide": "Oxide.",
        "compound": "Salts and other compounds.",
        "metal": "Unwrought metal, powder included.",
        "alloy": "Alloys, ferro-alloys included.",
        "magnet": "Permanent magnets, and what becomes one by magnetisation.",
        "scrap": "Waste and scrap.",
        "article": "Articles: semi-finished and finished products.",
    },
    vocabulary.LegalStage: {
        "adopted": "It is law, in force or not.",
        "proposed": "It is proposed.",
        "recommended": "It is recommended to whoever may decide.",
        "negotiated": "It is under negotiation.",
    },
    vocabulary.Measure: {
        "licence": "It needs a licence; of which kind is not known.",
        "dual_use_licence": "It needs a licence that looks at the end user and the end use.",
        "trade_licence": "It needs a licence that looks at neither, but at a contract or a quota.",
        "review": "Applications are examined more strictly.",
        "ban": "It is forbidden.",
        "quota": "It is limited to an amount.",
        "tariff": "A duty is due.",
        "tariff_rate_quota": "A lower duty is due on an amount, a higher one on what is beyond it.",
        "price_floor": "It may not be sold below a price, or a duty makes up the difference.",
        "state_trading": "Only named firms may trade in it.",
        "investigation": "An authority examines whether to act: no goods are restricted by it.",
        "domestic_sales": "A part must be sold in the country.",
        "processing": "It must be processed to a degree before it may leave.",
    },
    vocabulary.Outcome: {
        "withdrawn": "It was taken back before it was in force.",
        "lapsed": "It came to nothing: nobody acted in time.",
        "concluded": "The investigation or negotiation ended without a measure.",
    },
    vocabulary.PreferenceRule: {
        "judgement": "A recorded judgement on this figure.",
        "order": "A recorded order of publishers.",
        "first": "Nothing is recorded: whoever published on the series first.",
    },
    vocabulary.Qualifier: {
        "about": "About the number.",
        "nearly": "A little less than the number.",
        "less_than": "Less than the number.",
        "more_than": "More than the number.",
        "at_least": "The number or more.",
        "range": "From the number to the upper end.",
        "nil": "Nothing: the number is 0.",
        "withheld": "The publisher knows the number and keeps it back.",
        "not_available": "The publisher has no number.",
        "not_applicable": "There can be no number.",
        "not_stated": "The publisher does not say.",
        "included_elsewhere": "It is counted in another figure.",
        "large": "Large, in the publisher's word.",
        "moderate_to_large": "Moderate to large, in the publisher's words.",
        "moderate": "Moderate, in the publisher's word.",
        "small": "Small, in the publisher's word.",
        "some": "Some, in the publisher's word.",
    },
    vocabulary.QuotaPart: {
        "batch": "One of several amounts of the period, which add up.",
        "total": "All of the period.",
    },
    vocabulary.Reach: {
        "full": "All of it.",
        "partly": "A part of it, and nobody says how much.",
        "other": "None of it, but goods in other forms, goods of abroad, technology, or the like.",
    },
    vocabulary.Stage: {
        "mine": "Out of the ground.",
        "refinery": "Refined.",
        "smelter": "Smelted.",
        "primary": "Made from ore.",
        "secondary": "Made from scrap.",
        "plant": "Made in a plant, such as a chemical works.",
    },
    vocabulary.Statistic: {
        "production": "What is produced in a year.",
        "capacity": "What could be produced in a year.",
        "reserves": "What lies in the ground and is worth mining.",
        "production_share": "The share of the world's production, as the publisher gives it.",
        "reserves_share": "The share of the world's reserves, as the publisher gives it.",
    },
    vocabulary.Territory: {
        "home": "Goods that leave or enter the issuer's own territory.",
        "also_abroad": "These, and goods abroad that contain or were made with them.",
        "only_abroad": "Only goods abroad.",
    },
    TransitionKind: {
        "in_force": "A clause enters into force.",
        "suspended": "A clause is suspended.",
        "returns": "A suspension ends, and the clause is back in force.",
        "expires": "A clause ends.",
        "repealed": "A clause is repealed, or merged into another instrument.",
        "discontinued": "A clause is withdrawn, lapses, or is concluded without a measure.",
        "amended": "A clause is worded anew.",
        "member_joins": "A place becomes a member.",
        "member_leaves": "A place is no longer a member.",
        "appears": "The entity is there from this day.",
        "changes": "Something else changes.",
    },
    ChangeKind: {
        "appeared": "It was not there, and is.",
        "changed": "It is another than before.",
        "disappeared": "It was there, and is not: its opening was retracted.",
    },
}
"""What every value means."""

ENUM_NAMES: dict[type[Enum], str] = {ChangeKind: "ChangeKind"}
"""What enums are called that have another name in the domain."""


def described_enum(words: type[Enum], meanings: dict[str, str], name: str | None = None) -> None:
    """Make an enum of the API from one of the domain. Raises KeyError for an unexplained value."""
    strawberry.enum(words, name=name, description=description_of(words))
    definition: StrawberryEnumDefinition = words.__strawberry_definition__  # type: ignore[attr-defined]  # set above
    for value in definition.values:
        value.description = meanings[words[value.name].value]


for words, meanings in MEANINGS.items():
    described_enum(words, meanings, ENUM_NAMES.get(words))
