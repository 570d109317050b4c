"""The words of the domain as GraphQL enums, whose values are in capitals."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from projections.analysis.clause_counts import ClauseGroup
from projections.analysis.totals import TotalMethod
from projections.fold.change import ChangeKind
from projections.fold.transitions import TransitionBasis, TransitionKind
from projections.query.candidate_matches import MatchKind
from schema.base.decorators import description_of
from tracker.delivery.endpoint import EndpointState
from tracker.domain import vocabulary
from tracker.review.candidate import Action, CandidateKind, CandidateState
from tracker.review.finding import LeadCode

MEANINGS: dict[type[Enum], dict[str, str]] = {
    vocabulary.AllianceStatus: {
        "active": "The alliance exists.",
        "succeeded": "Another alliance has replaced it.",
        "dissolved": "It was dissolved.",
    },
    vocabulary.Assumption: {
        "automatic_return": "It was suspended at the newest known fact of its issuer, and is in"
        " force again because the suspension had an end. An extension may not"
        " have been recorded yet.",
        "end_unknown": "It has ended or will end, and no source says when.",
    },
    vocabulary.Confirmation: {
        "confirmed": "A recorded act of the issuer is at least as new as the beginning of the status.",
        "by_terms": "It follows from dates in older acts: it began after the newest recorded act of the"
        " issuer.",
        "contradicted": "A recorded statement says otherwise; `statedSuspension` names it.",
    },
    vocabulary.Match: {
        "certain": "It names the goods, or a code of them.",
        "possible": "It names only a group, such as critical minerals or dual-use items, without codes of"
        " the goods.",
    },
    vocabulary.ActKind: {
        "export_control": "Export controls and controls of production, in general acts.",
        "entity_list": "Lists of firms to which exports are banned or limited.",
        "licence_catalogue": "Yearly catalogues of licences, quotas and lists of state trading.",
        "import_measure": "Tariffs, bans and other measures on imports, and their investigations.",
        "announcement": "Announcements.",
        "alliance": "Acts on alliances and their members.",
        "figure": "Figures.",
    },
    vocabulary.CompletenessLevel: {
        "complete": "All lists of such acts were read without gaps.",
        "partial": "Some lists were read, or lists in part: see `gaps`.",
        "none": "No list of such acts was read.",
    },
    vocabulary.AnnouncementKind: {
        "statement": "A statement without a promise.",
        "commitment": "A commitment to something: money, a legal act, a date.",
        "project": "The start or progress of a project.",
        "dispute": "A dispute about an act of another party, at the WTO or elsewhere.",
        "response": "A response to an act of another party.",
        "assessment": "An assessment: a report, a ruling, a study.",
    },
    Action: {
        "assigned": "It was assigned to a person, or to nobody.",
        "edited": "Another fact was proposed in its place.",
        "accepted": "A person accepted it.",
        "rejected": "A person rejected it, or closed the lead.",
        "postponed": "It was put off until a day.",
        "reopened": "It waits again.",
        "superseded": "The publisher says otherwise now.",
        "recorded": "What was accepted is in the log.",
        "refused": "What was accepted could not be recorded: it waits again.",
    },
    CandidateKind: {
        "fact": "A fact, to be recorded as it is or as somebody edits it.",
        "import": "A file of figures, to be imported as a whole.",
        "lead": "No fact yet: something that a person should look into.",
    },
    CandidateState: {
        "pending": "It waits for a person.",
        "postponed": "It waits again from a day on.",
        "accepting": "It was accepted, and is being recorded or imported.",
        "accepted": "It is recorded.",
        "rejected": "A person has rejected it, or closed the lead.",
        "superseded": "The publisher says otherwise now: another candidate has taken its place.",
    },
    LeadCode: {
        "gap": "A number between others is missing: an act that is published elsewhere, later, or not at"
        " all.",
        "withdrawn": "The publisher has taken an act out of its list.",
        "another_body": "The same act reads otherwise at another address, or than it did before.",
        "changed": "A watched page reads otherwise than before.",
        "not_read": "An act was announced, and its text could not be had or understood.",
        "announced": "An act was announced, and nothing says what it does: a person has to read it.",
    },
    MatchKind: {
        "same_as": "It is this act.",
        "amends": "It changes this act, or cites it.",
        "conflicts_with": "It is this act, with another day, measure or goods than are known.",
    },
    vocabulary.Checked: {
        "page": "The page or document that the source names was read.",
        "data_file": "The number was read from the publisher's file of data.",
        "seed": "The fact was taken from a list that somebody else had compiled from sources.",
        "memory": "Nothing was checked: the fact was recorded from memory.",
    },
    vocabulary.ClauseEnd: {
        "open": "It applies until further notice.",
        "unknown": "It has ended or will end, and no source says when.",
        "condition": "It ends when a condition is met.",
    },
    vocabulary.FetchFailure: {
        "UNREACHABLE": "Its server could not be reached.",
        "TIMEOUT": "There was no whole answer in time.",
        "REFUSED_ADDRESS": "It leads to an address that may not be connected to.",
        "ROBOTS": "The publisher's robots.txt does not allow it.",
        "RATE_LIMITED": "The publisher asks to come back later (429, or 503 with a time).",
        "HTTP_STATUS": "The answer has another status than 200 or 304.",
        "TOO_LARGE": "The answer is larger than the limit.",
        "CUT_OFF": "The answer ended before its end.",
        "TLS": "The server could not prove who it is.",
        "REDIRECT": "It leads to too many other addresses, or to one that may not be reached.",
        "LAYOUT_CHANGED": "What came is not what is known of this publisher.",
        "ENCODING": "What came is not in the encoding that it declares, declares two, or is packed otherwise"
        " than was asked for.",
        "INCOMPLETE": "The list has fewer or more items than the publisher counts.",
        "TRUNCATED": "The publisher has cut off its list.",
    },
    ClauseGroup: {
        "status": "By status.",
        "measure": "By measure.",
        "issuer": "By the issuer of the instrument.",
        "direction": "By exports, imports and production.",
        "covers": "By what they cover.",
        "legal_stage": "By legal stage.",
        "commodity": "By the commodities that they name; one that names several counts for each.",
        "confirmation": "By how far their status is supported by what is recorded.",
        "match": "By whether they cover the goods of the filters for certain, or possibly.",
    },
    vocabulary.ClauseStatus: {
        "proposed": "It is proposed by somebody with the right to do so; it is not law.",
        "recommended": "It is recommended to the deciding authority; it is not law.",
        "negotiated": "It is under negotiation; it is not law.",
        "announced": "It is law, and not yet in force.",
        "in_force": "It applies.",
        "suspended": "It does not apply for a time, and returns.",
        "expired": "Its last day has passed.",
        "repealed": "It was repealed, or merged into another instrument.",
        "withdrawn": "It was taken back before it was in force.",
        "lapsed": "It lapsed: nobody acted in time.",
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
        "export": "Exports from the issuer.",
        "import": "Imports into the issuer.",
        "production": "Production or mining within the issuer.",
    },
    EndpointState: {
        "active": "Events are sent to it as they are recorded; after a failure again and again.",
        "paused": "A person has stopped it. It keeps its place.",
        "disabled": "The receiver has answered 410: it is gone. It keeps its place, and can be resumed.",
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
        "recommended": "It is recommended to the deciding authority.",
        "negotiated": "It is under negotiation.",
    },
    vocabulary.Measure: {
        "licence": "It needs a licence; of which kind is not known.",
        "dual_use_licence": "It needs a licence that looks at the end user and the end use.",
        "trade_licence": "It needs a licence that looks at neither, but at a contract or a quota.",
        "review": "Applications are examined more strictly.",
        "ban": "Trade is forbidden.",
        "quota": "Trade is limited to an amount.",
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
        "lapsed": "It lapsed: nobody acted in time.",
        "concluded": "The investigation or negotiation ended without a measure.",
    },
    vocabulary.MemberRole: {
        "member": "A member.",
        "chair": "A member that chairs it.",
        "observer": "It observes, and is no member.",
        "endorser": "It endorses what the alliance declares, and is no member.",
        "guest": "It attends as a guest, and is no member.",
    },
    vocabulary.MembershipKind: {
        "member": "It is a member itself.",
        "through_union": "It is not a member, but in a union that is one.",
        "takes_part": "It takes part in another role, such as an observer.",
        "none": "It does not belong to it.",
        "not_known": "It is not among the members that are known, and their list is not published.",
    },
    vocabulary.PreferenceRule: {
        "judgement": "A recorded judgement on this figure.",
        "order": "A recorded order of publishers.",
        "first": "No preference is recorded: the publisher that published on the series first.",
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
        "partly": "A part of it, of unknown size.",
        "other": "None of it, but goods in other forms, goods of abroad, technology, or the like.",
    },
    vocabulary.Stage: {
        "mine": "Mining.",
        "refinery": "Refining.",
        "smelter": "Smelting.",
        "primary": "Production from ore.",
        "secondary": "Production from scrap.",
        "plant": "Production in a plant, such as a chemical works.",
    },
    vocabulary.Statistic: {
        "production": "The amount produced in a year.",
        "capacity": "The amount that could be produced in a year.",
        "reserves": "The amount in the ground that is economic to mine.",
        "production_share": "The share of the world's production, as the publisher gives it.",
        "reserves_share": "The share of the world's reserves, as the publisher gives it.",
    },
    vocabulary.Territory: {
        "home": "Goods that leave or enter the issuer's own territory.",
        "also_abroad": "These goods, and goods abroad that contain them or were made with them.",
        "only_abroad": "Only goods abroad.",
    },
    TransitionBasis: {
        "act": "An act that became public on the day.",
        "confirmed": "An act that was public before, and a later one that names the same day.",
        "terms": "The terms of an act that was public before, such as the end of a suspension. No"
        " later act is known that names the day.",
        "statement": "A statement of a government, without a legal instrument.",
    },
    TotalMethod: {
        "published": "A publisher states it.",
        "sum_of_places": "No publisher states one as a number: it is the sum of the places that can be"
        " added. It leaves out whatever has no figure.",
    },
    TransitionKind: {
        "in_force": "A clause enters into force.",
        "suspended": "A clause is suspended.",
        "returns": "A suspension ends, and the clause is in force: again, or for the first time where"
        " it was suspended before its first day.",
        "expires": "A clause ends.",
        "repealed": "A clause is repealed, or merged into another instrument.",
        "discontinued": "A clause is withdrawn, lapses, or is concluded without a measure.",
        "amended": "A clause gets a new wording.",
        "member_joins": "A place becomes a member.",
        "member_leaves": "A place is no longer a member.",
        "appears": "The entity begins to exist.",
        "stated_end": "A suspension ends as a government stated. By the text of the instrument the clause is"
        " in force already.",
        "changes": "Something else changes.",
    },
    ChangeKind: {
        "appeared": "It exists at the second moment only.",
        "changed": "It exists at both, and its state differs.",
        "disappeared": "It exists at the first moment only: the fact that began it was retracted.",
    },
}
"""Descriptions of enum values."""

ENUM_NAMES: dict[type[Enum], str] = {
    Action: "CandidateAction",
    ChangeKind: "ChangeKind",
    vocabulary.Checked: "SourceCheck",
    vocabulary.Covers: "Coverage",
}
"""GraphQL names of enums whose name in the domain is another one."""


def described_enum(words: type[Enum], meanings: dict[str, str], name: str | None = None) -> None:
    """Make an enum of the API from one of the domain. Raises KeyError for an unexplained value."""
    strawberry.enum(words, name=name, description=description_of(words))
    definition: StrawberryEnumDefinition = words.__strawberry_definition__  # type: ignore[attr-defined]  # set above
    for value in definition.values:
        value.description = meanings[words[value.name].value]


for words, meanings in MEANINGS.items():
    described_enum(words, meanings, ENUM_NAMES.get(words))
