"""Enums of the domain as GraphQL enums, whose values are in capitals."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from projections.analysis.clause_counts import ClauseGroup
from projections.analysis.import_exposure import OriginStatus
from projections.analysis.totals import TotalMethod
from projections.fold.change import ChangeKind
from projections.fold.transitions import TransitionBasis, TransitionKind
from projections.query.candidate_matches import MatchKind
from schema.base.decorators import description_of
from tracker.delivery.endpoint import EndpointFormat, EndpointState
from tracker.domain.basics import vocabulary
from tracker.domain.shipments.check import VerdictKind
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
        "end_unknown": "It has ended or will end, and no source states the date.",
    },
    vocabulary.DutyRelation: {
        "adds_to": "It is paid in addition to the other duty.",
        "yields_to": "It is not paid where the other duty is paid. Of two duties that yield to each"
        " other the higher is paid.",
        "capped_at": "Together with the other duty it is at most a percentage.",
        "includes_ordinary": "Its rate includes the ordinary duty, so that only the rest is paid on top.",
    },
    VerdictKind: {
        "prohibited": "The trade is prohibited.",
        "licence_required": "A licence is needed, or only designated firms may trade.",
        "review": "A review is needed before the trade is allowed.",
        "quota": "The goods count against a quota.",
        "export_duty": "An export duty is paid.",
        "import_duty": "An import duty is paid.",
        "investigation": "An authority examines whether to act; no measure applies yet.",
        "other_condition": "Another condition applies, such as processing before export.",
        "nothing_recorded": "No clause in force is recorded for the leg. Unless its lists are complete,"
        " one may exist.",
        "unknown": "The rules of the leg are unknown: its place is not stated, or none of its lists"
        " was read.",
    },
    vocabulary.Confirmation: {
        "confirmed": "A recorded act of the issuer is at least as new as the beginning of the status.",
        "by_terms": "It follows from dates in older acts: it began after the newest recorded act of the"
        " issuer.",
        "contradicted": "A recorded statement contradicts it; `statedSuspension` names"
        " the statement.",
    },
    vocabulary.HsEdition: {
        "hs17": "The Harmonized System of 2017.",
        "hs22": "The Harmonized System of 2022.",
    },
    vocabulary.Match: {
        "certain": "It names the goods, or a code of them.",
        "possible": "It names only a group, such as critical minerals or dual-use items,"
        " without codes of the goods.",
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
        "assigned": "It was assigned to a person, or its assignment was removed.",
        "edited": "Its proposed fact was replaced.",
        "accepted": "A person accepted it.",
        "rejected": "A person rejected it, or closed the lead.",
        "postponed": "It was postponed until a date.",
        "reopened": "It waits again.",
        "superseded": "The publisher has replaced it with a newer version.",
        "recorded": "The accepted fact or file was recorded in the log.",
        "refused": "The accepted fact or file could not be recorded: it waits again.",
    },
    CandidateKind: {
        "fact": "A fact, to be recorded as it is or after an edit.",
        "import": "A file of figures, to be imported as a whole.",
        "lead": "Not yet a fact: a hint that a person should check.",
    },
    CandidateState: {
        "pending": "It waits for a person.",
        "postponed": "It is postponed until a date.",
        "accepting": "It was accepted, and is being recorded or imported.",
        "accepted": "It is recorded.",
        "rejected": "A person has rejected it, or closed the lead.",
        "superseded": "The publisher has replaced it with a newer version, in another candidate.",
    },
    LeadCode: {
        "gap": "A number in a sequence is missing: an act that is published elsewhere,"
        " later, or not at all.",
        "withdrawn": "The publisher has removed an act from its list.",
        "another_body": "The text of the same act differs at another address, or from an"
        " earlier version.",
        "changed": "The text of a watched page has changed.",
        "not_read": "An act was announced, and its text could not be fetched or parsed.",
        "announced": "An act was announced, and its effect is not stated: a person has to read it.",
    },
    MatchKind: {
        "same_as": "It is this act.",
        "amends": "It changes this act, or cites it.",
        "conflicts_with": "It is this act, but its date, measure or goods differ from the"
        " recorded ones.",
    },
    vocabulary.Checked: {
        "page": "The cited page or document was read.",
        "data_file": "The number was read from the publisher's file of data.",
        "seed": "The fact was taken from a list that others had compiled from sources.",
        "memory": "Nothing was checked: the fact was recorded from memory.",
    },
    vocabulary.ClauseEnd: {
        "open": "It applies until further notice.",
        "unknown": "It has ended or will end, and no source states the date.",
        "condition": "It ends when a condition is met.",
    },
    vocabulary.FetchFailure: {
        "UNREACHABLE": "Its server could not be reached.",
        "TIMEOUT": "The response was incomplete at the timeout.",
        "REFUSED_ADDRESS": "Connections to its address are not allowed.",
        "ROBOTS": "The publisher's robots.txt does not allow it.",
        "RATE_LIMITED": "The publisher requests a later retry (429, or 503 with a time).",
        "HTTP_STATUS": "The response has another status than 200 or 304.",
        "TOO_LARGE": "The response is larger than the limit.",
        "CUT_OFF": "The response ended early.",
        "TLS": "The certificate of the server is not valid.",
        "REDIRECT": "There are too many redirects, or one to an address that is not allowed.",
        "LAYOUT_CHANGED": "The response does not have the format expected from this publisher.",
        "ENCODING": "The response does not have its declared encoding, declares two, or"
        " has a content coding that was not requested.",
        "INCOMPLETE": "The number of items in the list differs from the number that the"
        " publisher states.",
        "TRUNCATED": "The publisher has truncated its list.",
    },
    ClauseGroup: {
        "status": "By status.",
        "measure": "By measure.",
        "issuer": "By the issuer of the instrument.",
        "direction": "By exports, imports and production.",
        "covers": "By the kind of goods or services that they cover.",
        "legal_stage": "By legal stage.",
        "commodity": "By the commodities that they name; a clause that names several"
        " counts for each.",
        "confirmation": "By the confirmation of their status.",
        "match": "By whether they cover the goods of the filters for certain, or possibly.",
    },
    vocabulary.ClauseStatus: {
        "proposed": "It is proposed by a body with the right to do so; it is not law.",
        "recommended": "It is recommended to the deciding authority; it is not law.",
        "negotiated": "It is under negotiation; it is not law.",
        "announced": "It is law, and not yet in force.",
        "in_force": "It applies.",
        "suspended": "It does not apply for a time, and returns.",
        "expired": "Its last day has passed.",
        "repealed": "It was repealed, or merged into another instrument.",
        "withdrawn": "It was withdrawn before it was in force.",
        "lapsed": "It lapsed: no one acted in time.",
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
    EndpointFormat: {
        "events": "CloudEvents: the entries of the log, byte for byte.",
        "slack": "Messages for an incoming webhook of Slack or a compatible program: a sentence and a link"
        " for each event.",
        "teams": "Messages for a workflow webhook of Microsoft Teams: a sentence and a link for each"
        " event, in an Adaptive Card.",
    },
    EndpointState: {
        "active": "Events are sent to it as they are recorded, with retries after a failure.",
        "paused": "A person has stopped it. Its cursor is kept.",
        "disabled": "The receiver has responded with 410 (Gone). Its cursor is kept, and"
        " it can be resumed.",
    },
    vocabulary.Form: {
        "ore": "Ore, as mined.",
        "concentrate": "Concentrate of ore.",
        "intermediate": "Matte, hydroxide, nickel pig iron and other intermediate products.",
        "oxide": "Oxide.",
        "compound": "Salts and other compounds.",
        "metal": "Unwrought metal, including powder.",
        "alloy": "Alloys, including ferro-alloys.",
        "magnet": "Permanent magnets, and goods that become magnets by magnetisation.",
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
        "licence": "It needs a licence of unknown kind.",
        "dual_use_licence": "It needs a licence that depends on the end user and the end use.",
        "trade_licence": "It needs a licence that depends on a contract or a quota, not on"
        " the end user or the end use.",
        "review": "Applications are examined more strictly.",
        "ban": "Trade is forbidden.",
        "quota": "Trade is limited to an amount.",
        "tariff": "A duty is due.",
        "tariff_rate_quota": "A lower duty is due up to an amount, a higher one above it.",
        "price_floor": "It may not be sold below a price, or a duty makes up the difference.",
        "state_trading": "Only named firms may trade in it.",
        "investigation": "An authority examines whether to act; no goods are restricted yet.",
        "domestic_sales": "A part must be sold in the country.",
        "processing": "It must be processed to a degree before export.",
    },
    vocabulary.Outcome: {
        "withdrawn": "It was withdrawn before it was in force.",
        "lapsed": "It lapsed: no one acted in time.",
        "concluded": "The investigation or negotiation ended without a measure.",
    },
    vocabulary.MemberRole: {
        "member": "A member.",
        "chair": "A member that chairs it.",
        "observer": "It observes, and is no member.",
        "endorser": "It endorses the declarations of the alliance, and is no member.",
        "guest": "It attends as a guest, and is no member.",
    },
    vocabulary.MembershipKind: {
        "member": "It is a member itself.",
        "through_union": "It is not a member, but belongs to a union that is one.",
        "takes_part": "It takes part in another role, such as an observer.",
        "none": "It does not belong to it.",
        "not_known": "It is not among the known members, and their list is not published.",
    },
    vocabulary.PreferenceRule: {
        "judgement": "A recorded judgement on this figure.",
        "order": "A recorded order of publishers.",
        "first": "No preference is recorded: the publisher that published first on the series.",
    },
    vocabulary.Qualifier: {
        "about": "About the number.",
        "nearly": "A little less than the number.",
        "less_than": "Less than the number.",
        "more_than": "More than the number.",
        "at_least": "The number or more.",
        "range": "From the number to the upper end.",
        "nil": "Nil: the number is 0.",
        "withheld": "The publisher withholds the number.",
        "not_available": "The publisher has no number.",
        "not_applicable": "A number is not applicable.",
        "not_stated": "The publisher does not state it.",
        "included_elsewhere": "It is counted in another figure.",
        "net_exporter": "The place exports more than it imports: its reliance is at most 0.",
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
    OriginStatus: {
        "certain": "A recorded clause in force covers all of the product.",
        "assumed": "A clause covers all of the product. It is in force because a suspension ended by its"
        " own terms, or its end is not known: see `Assumption`.",
        "partly": "Clauses in force cover a part of it, of unknown size: some items, forms, end uses or"
        " firms.",
        "none": "No clause in force is recorded. Only complete records show that none exists.",
    },
    vocabulary.Reach: {
        "full": "All of it.",
        "partly": "A part of it, of unknown size.",
        "other": "None of it, but goods in other forms, foreign goods, technology, or similar.",
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
        "production_projection": "The amount that a publisher expects to be produced in a year.",
        "net_import_reliance": "Imports less exports, adjusted for stocks, as a share of consumption."
        " The basis names the consumption: apparent, reported or estimated.",
        "import_origins": "The origins of a place's imports with the part of each, on average over"
        " some years or in one.",
        "import_ranks": "The origins of a place's imports in descending order, without numbers.",
        "imports": "The amount imported in a year.",
        "exports": "The amount exported in a year.",
        "consumption": "The amount consumed in a year. The form names the kind: apparent, reported"
        " or estimated.",
        "stocks": "The amount in stock at the end of a year. The form names the holder.",
        "stockpile_shipments": "Shipments from a government stockpile in a year; additions to it are"
        " negative.",
        "price": "The price in a year, on average or at the end, as the basis says.",
    },
    vocabulary.Territory: {
        "home": "Goods that leave or enter the issuer's own territory.",
        "also_abroad": "These goods, and goods abroad that contain them or were made with them.",
        "only_abroad": "Only goods abroad.",
    },
    TransitionBasis: {
        "act": "An act that became public on the date.",
        "confirmed": "An act that was public before, and a later one that names the same date.",
        "terms": "The terms of an act that was public before, such as the end of a"
        " suspension. No later act that names the date is recorded.",
        "statement": "A statement of a government, without a legal instrument.",
    },
    TotalMethod: {
        "published": "A publisher states it.",
        "sum_of_places": "No publisher states it as a number: it is the sum of the places"
        " that can be added. Places without a figure are missing in it.",
    },
    TransitionKind: {
        "in_force": "A clause enters into force.",
        "suspended": "A clause is suspended.",
        "returns": "A suspension ends, and the clause is in force: again, or for the"
        " first time if it was suspended before its first date.",
        "expires": "A clause ends.",
        "repealed": "A clause is repealed, or merged into another instrument.",
        "discontinued": "A clause is withdrawn, lapses, or is concluded without a measure.",
        "amended": "A clause gets a new wording.",
        "member_joins": "A place becomes a member.",
        "member_leaves": "A place is no longer a member.",
        "appears": "The entity begins to exist.",
        "stated_end": "A suspension ends as a government stated. By the text of the"
        " instrument the clause is already in force.",
        "changes": "Another change.",
    },
    ChangeKind: {
        "appeared": "It exists at the second moment only.",
        "changed": "It exists at both, and its state differs.",
        "disappeared": "It exists at the first moment only: its first fact was retracted.",
    },
}
"""Descriptions of enum values."""

ENUM_NAMES: dict[type[Enum], str] = {
    Action: "CandidateAction",
    ChangeKind: "ChangeKind",
    vocabulary.Checked: "SourceCheck",
    vocabulary.Covers: "Coverage",
}
"""GraphQL names of enums with another name in the domain."""


def described_enum(words: type[Enum], meanings: dict[str, str], name: str | None = None) -> None:
    """Make an enum of the API from one of the domain. Raises KeyError for an unexplained value."""
    strawberry.enum(words, name=name, description=description_of(words))
    definition: StrawberryEnumDefinition = words.__strawberry_definition__  # type: ignore[attr-defined]  # set above
    for value in definition.values:
        value.description = meanings[words[value.name].value]


for words, meanings in MEANINGS.items():
    described_enum(words, meanings, ENUM_NAMES.get(words))
