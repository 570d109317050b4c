"""The closed vocabularies of facts."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A word of a vocabulary with attributes: `NAME = word, ATTRIBUTE, …`, in the order of their annotations.

    A docstring below each word describes it to clients. The definition of a word that lacks an attribute
    raises ValueError.
    """

    _value_: str
    phrase: str
    """The word in a sentence; unless it is an attribute of the vocabulary, the word with spaces."""

    def __new__(cls, word: str, *declared: object) -> Self:
        self = str.__new__(cls, word)
        self._value_, self.phrase = word, word.replace("_", " ")
        kinds = cls.__mro__[: cls.__mro__.index(Word)]
        names = [name for kind in kinds for name in kind.__annotations__]
        for name, value in zip(names, declared, strict=True):
            setattr(self, name, value)
        return self


class NamedWord(Word):
    """A word whose phrase differs from it: `NAME = word, phrase`."""

    phrase: str


class Direction(Word):
    """The trade that a control restricts: exports, imports or production."""

    EXPORT = "export", "exports", "to"
    """Exports from the issuer."""
    IMPORT = "import", "imports", "from"
    """Imports into the issuer."""
    PRODUCTION = "production", "production", "in"
    """Production or mining within the issuer."""

    noun: str
    """The trade, as a noun: `exports`."""
    toward: str
    """The preposition before the other places: `to`."""


class VerdictKind(StrEnum):
    """The kind of rule that applies to a shipment."""

    PROHIBITED = "prohibited"
    """The trade is prohibited."""
    LICENCE_REQUIRED = "licence_required"
    """A licence is needed, or only designated firms may trade."""
    REVIEW = "review"
    """A review is needed before the trade is allowed."""
    QUOTA = "quota"
    """The goods count against a quota."""
    EXPORT_DUTY = "export_duty"
    """An export duty is paid."""
    IMPORT_DUTY = "import_duty"
    """An import duty is paid."""
    INVESTIGATION = "investigation"
    """An authority examines whether to act; no measure applies yet."""
    OTHER_CONDITION = "other_condition"
    """Another condition applies, such as processing before export."""
    NOTHING_RECORDED = "nothing_recorded"
    """No clause in force is recorded for the leg. Unless its lists are complete, one may exist."""
    UNKNOWN = "unknown"
    """The rules of the leg are unknown: its place is not stated, or none of its lists was read."""

    @property
    def is_duty(self) -> bool:
        """Whether a duty is paid."""
        return self in (VerdictKind.EXPORT_DUTY, VerdictKind.IMPORT_DUTY)


class Hue(StrEnum):
    """A kind of measure, as a colour. A domestic processing rule counts as a ban; an investigation
    restricts nothing and has no colour of its own."""

    BAN = "ban"
    LICENCE = "licence"
    QUOTA = "quota"
    TARIFF = "tariff"
    OTHER = "other"


class Shape(StrEnum):
    """The shape of a period of a status in drawings."""

    HOLLOW = "hollow"
    """Thin outline: law that is not yet in force."""
    DASHED = "dashed"
    """Thin dashed outline: not law."""
    SOLID = "solid"
    HATCHED = "hatched"
    LINE = "line"
    """Line after an end mark: ended as planned."""
    DOTS = "dots"
    """Dotted line after a cross: ended by an act."""


class Measure(Word):
    """The kind of restriction of trade."""

    LICENCE = "licence", "licence", "licensing of", VerdictKind.LICENCE_REQUIRED, Hue.LICENCE, 1
    """It needs a licence of unknown kind."""
    DUAL_USE_LICENCE = (
        "dual_use_licence",
        "dual-use licence",
        "dual-use licensing of",
        VerdictKind.LICENCE_REQUIRED,
        Hue.LICENCE,
        2,
    )
    """It needs a licence that depends on the end user and the end use."""
    TRADE_LICENCE = (
        "trade_licence",
        "trade licence",
        "licensing of",
        VerdictKind.LICENCE_REQUIRED,
        Hue.LICENCE,
        3,
    )
    """It needs a licence that depends on a contract or a quota, not on the end user or the end
    use."""
    REVIEW = "review", "review", "stricter review of", VerdictKind.REVIEW, Hue.LICENCE, 4
    """Applications are examined more strictly."""
    BAN = "ban", "ban", "ban on", VerdictKind.PROHIBITED, Hue.BAN, 0
    """Trade is forbidden."""
    QUOTA = "quota", "quota", "quota on", VerdictKind.QUOTA, Hue.QUOTA, 5
    """Trade is limited to an amount."""
    TARIFF = "tariff", "tariff", "tariff on", VerdictKind.IMPORT_DUTY, Hue.TARIFF, 6
    """A duty is due."""
    TARIFF_RATE_QUOTA = (
        "tariff_rate_quota",
        "tariff-rate quota",
        "tariff-rate quota on",
        VerdictKind.QUOTA,
        Hue.TARIFF,
        7,
    )
    """A lower duty is due up to an amount, a higher one above it."""
    PRICE_FLOOR = (
        "price_floor",
        "price floor",
        "price floor for",
        VerdictKind.IMPORT_DUTY,
        Hue.TARIFF,
        8,
    )
    """It may not be sold below a price, or a duty makes up the difference."""
    STATE_TRADING = (
        "state_trading",
        "state trading",
        "state trading in",
        VerdictKind.LICENCE_REQUIRED,
        Hue.LICENCE,
        9,
    )
    """Only named firms may trade in it."""
    INVESTIGATION = (
        "investigation",
        "investigation",
        "investigation of",
        VerdictKind.INVESTIGATION,
        Hue.OTHER,
        10,
    )
    """An authority examines whether to act; no goods are restricted yet."""
    DOMESTIC_SALES = (
        "domestic_sales",
        "domestic sales",
        "domestic sales rule for",
        VerdictKind.OTHER_CONDITION,
        Hue.QUOTA,
        11,
    )
    """A part must be sold in the country."""
    PROCESSING = (
        "processing",
        "processing",
        "processing rule for",
        VerdictKind.OTHER_CONDITION,
        Hue.BAN,
        12,
    )
    """It must be processed to a degree before export."""

    phrase: str
    rule: str
    """A rule of this measure, up to its goods: `ban on`, `dual-use licensing of`."""
    verdict: VerdictKind
    """The kind of rule for a shipment; for a duty that of imports."""
    hue: Hue
    rank: int
    """The place in lists, the strictest measure first."""

    @property
    def noun(self) -> str:
        """The noun of a rule: `ban`."""
        return self.rule.rpartition(" ")[0]

    @property
    def preposition(self) -> str:
        """The preposition between a rule and its goods: `on`."""
        return self.rule.rpartition(" ")[2]

    def verdict_on(self, direction: Direction) -> VerdictKind:
        """Return the kind of rule for a direction of trade."""
        is_export_duty = self.verdict.is_duty and direction is Direction.EXPORT
        return VerdictKind.EXPORT_DUTY if is_export_duty else self.verdict


class Covers(StrEnum):
    """The subject of a clause: the goods themselves, or the means to make them."""

    GOODS = "goods"
    """The goods themselves."""
    TECHNOLOGY = "technology"
    """The know-how to make them."""
    EQUIPMENT = "equipment"
    """The machines to make them."""
    MATERIALS = "materials"
    """The auxiliary materials to make them."""
    SERVICES = "services"
    """Services, such as brokering, or work of persons."""


class Form(StrEnum):
    """The form in which goods are traded, from the ore to the article."""

    ORE = "ore"
    """Ore, as mined."""
    CONCENTRATE = "concentrate"
    """Concentrate of ore."""
    INTERMEDIATE = "intermediate"
    """Matte, hydroxide, nickel pig iron and other intermediate products."""
    OXIDE = "oxide"
    """Oxide."""
    COMPOUND = "compound"
    """Salts and other compounds."""
    METAL = "metal"
    """Unwrought metal, including powder."""
    ALLOY = "alloy"
    """Alloys, including ferro-alloys."""
    MAGNET = "magnet"
    """Permanent magnets, and goods that become magnets by magnetisation."""
    SCRAP = "scrap"
    """Waste and scrap."""
    ARTICLE = "article"
    """Articles: semi-finished and finished products."""


class Territory(StrEnum):
    """The territory whose goods are controlled: the issuer's own, abroad, or both."""

    HOME = "home"
    """Goods that leave or enter the issuer's own territory."""
    ALSO_ABROAD = "also_abroad"
    """These goods, and goods abroad that contain them or were made with them."""
    ONLY_ABROAD = "only_abroad"
    """Only goods abroad."""


class QuotaPart(StrEnum):
    """Whether an amount is all of its period's quota or one of several batches that add up."""

    BATCH = "batch"
    """One of several amounts of the period, which add up."""
    TOTAL = "total"
    """All of the period."""


class LegalStage(Word):
    """The legal stage of a clause, from proposal to law."""

    ADOPTED = "adopted", "announces"
    """It is law, in force or not."""
    PROPOSED = "proposed", "proposes"
    """It is proposed."""
    RECOMMENDED = "recommended", "has before it, as a recommendation"
    """It is recommended to the deciding authority."""
    NEGOTIATED = "negotiated", "negotiates"
    """It is under negotiation."""

    verb: str
    """The act of an issuer in this stage: `proposes`."""


class ClauseEnd(StrEnum):
    """The kind of end of a clause without a known last day."""

    OPEN = "open"
    """It applies until further notice."""
    UNKNOWN = "unknown"
    """It has ended or will end, and no source states the date."""
    CONDITION = "condition"
    """It ends when a condition is met."""


class Outcome(Word):
    """The way in which a clause ended without being repealed."""

    WITHDRAWN = "withdrawn", "withdrawn before being in force", "is withdrawn"
    """It was withdrawn before it was in force."""
    LAPSED = "lapsed", "lapsed", "lapses"
    """It lapsed: no one acted in time."""
    CONCLUDED = "concluded", "concluded without a measure", "is concluded without a measure"
    """The investigation or negotiation ended without a measure."""

    phrase: str
    verb: str
    """The end of a clause: `lapses`."""


class Reach(StrEnum):
    """The extent to which a clause covers a supply."""

    FULL = "full"
    """All of it."""
    PARTLY = "partly"
    """A part of it, of unknown size."""
    OTHER = "other"
    """None of it, but goods in other forms, foreign goods, technology, or similar."""


class Phase(StrEnum):
    """The phase of a clause in which it has a status."""

    NOT_LAW = "not_law"
    UPCOMING = "upcoming"
    CURRENT = "current"
    """In force, or in force again after a suspension."""
    ENDED = "ended"


class ClauseStatus(Word):
    """The status of a clause on a day."""

    PROPOSED = "proposed", "is", Phase.NOT_LAW, Shape.DASHED, 5
    """It is proposed by a body with the right to do so; it is not law."""
    RECOMMENDED = "recommended", "is", Phase.NOT_LAW, Shape.DASHED, 4
    """It is recommended to the deciding authority; it is not law."""
    NEGOTIATED = "negotiated", "is", Phase.NOT_LAW, Shape.DASHED, 3
    """It is under negotiation; it is not law."""
    ANNOUNCED = "announced", "is", Phase.UPCOMING, Shape.HOLLOW, 2
    """It is law, and not yet in force."""
    IN_FORCE = "in_force", "is", Phase.CURRENT, Shape.SOLID, 0
    """It applies."""
    SUSPENDED = "suspended", "is", Phase.CURRENT, Shape.HATCHED, 1
    """It does not apply for a time, and returns."""
    EXPIRED = "expired", "has", Phase.ENDED, Shape.LINE, 6
    """Its last day has passed."""
    REPEALED = "repealed", "is", Phase.ENDED, Shape.DOTS, 9
    """It was repealed, or merged into another instrument."""
    WITHDRAWN = "withdrawn", "is", Phase.ENDED, Shape.DOTS, 10
    """It was withdrawn before it was in force."""
    LAPSED = "lapsed", "has", Phase.ENDED, Shape.LINE, 7
    """It lapsed: no one acted in time."""
    CONCLUDED = "concluded", "is", Phase.ENDED, Shape.LINE, 8
    """The investigation or negotiation ended without a measure."""

    verb: str
    """The verb before the status, in the singular: `is` in force, `has` expired."""
    phase: Phase
    shape: Shape
    rank: int
    """The place in lists: applicable, future, ended."""

    @property
    def has_ended(self) -> bool:
        """Whether the clause has ended."""
        return self.phase is Phase.ENDED


class Assumption(StrEnum):
    """The basis of a status that no source states."""

    AUTOMATIC_RETURN = "automatic_return"
    """It was suspended at the newest known fact of its issuer, and is in force again because the
    suspension had an end. An extension may not have been recorded yet."""
    END_UNKNOWN = "end_unknown"
    """It has ended or will end, and no source states the date."""


class DutyRelation(StrEnum):
    """The effect of a duty on another one for the same goods."""

    ADDS_TO = "adds_to"
    """It is paid in addition to the other duty."""
    YIELDS_TO = "yields_to"
    """It is not paid where the other duty is paid. Of two duties that yield to each other the
    higher is paid."""
    CAPPED_AT = "capped_at"
    """Together with the other duty it is at most a percentage."""
    INCLUDES_ORDINARY = "includes_ordinary"
    """Its rate includes the ordinary duty, so that only the rest is paid on top."""


class Confirmation(Word):
    """Whether a record of its first day or later supports a status."""

    CONFIRMED = "confirmed", "confirmed", "confirmed"
    """A record of its first day or later supports it: see `confirmedBy`."""
    BY_TERMS = "by_terms", "by its own terms", "by their own terms"
    """It follows from dates in older acts: no record of its first day or later names it. A return from a
    suspension, an expiry and a renewal need a record that names the clause, or complete lists."""
    CONTRADICTED = (
        "contradicted",
        "contradicted by a recorded statement",
        "contradicted by a recorded statement",
    )
    """A recorded statement contradicts it; `statedSuspension` names the statement."""

    phrase: str
    """The support of the status of one clause."""
    plural: str
    """The support of the statuses of several clauses."""


class GroundKind(StrEnum):
    """The kind of record that supports a status, strongest first."""

    ACT = "act"
    """An act that names the clause, its act or the act that suspends it."""
    STATEMENT = "statement"
    """A statement of the issuer about the act."""
    TEXT = "text"
    """A source that names the clause, was read, and was published on or after the first day."""
    READING = "reading"
    """A reading of the lists of the issuer in which a change would stand."""


class Certainty(Word):
    """The certainty that a rule applies: the weaker of its match and its status, surest first."""

    CERTAIN = "certain"
    """All conditions are met, and a record confirms its status."""
    NOT_CONFIRMED = "not_confirmed"
    """All conditions are met, but its status follows from dates in older acts."""
    CONTRADICTED = "contradicted"
    """All conditions are met, but a recorded statement contradicts its status."""
    POSSIBLE = "possible"
    """A condition is open."""


class Match(StrEnum):
    """Whether a clause certainly covers the goods of a query."""

    CERTAIN = "certain"
    """It names the goods, or a code of them."""
    POSSIBLE = "possible"
    """It names only a group, such as critical minerals or dual-use items, without codes of the
    goods."""


class ActKind(NamedWord):
    """A kind of act in lists, for which completeness is stated."""

    EXPORT_CONTROL = "export_control", "export controls"
    """Export controls and controls of production, in general acts."""
    ENTITY_LIST = "entity_list", "entity lists"
    """Lists of firms to which exports are banned or limited."""
    LICENCE_CATALOGUE = "licence_catalogue", "licence catalogues"
    """Yearly catalogues of licences, quotas and lists of state trading."""
    IMPORT_MEASURE = "import_measure", "import measures"
    """Tariffs, bans and other measures on imports, and their investigations."""
    ANNOUNCEMENT = "announcement", "announcements"
    """Announcements."""
    ALLIANCE = "alliance", "acts on alliances"
    """Acts on alliances and their members."""
    FIGURE = "figure", "figures"
    """Figures."""


class CompletenessLevel(StrEnum):
    """The extent to which the lists behind a response were read."""

    COMPLETE = "complete"
    """All lists of such acts were read without gaps."""
    PARTIAL = "partial"
    """Some lists were read, or lists in part: see `gaps`."""
    NONE = "none"
    """No list of such acts was read."""


class AllianceStatus(StrEnum):
    """The status of an alliance on a day."""

    ACTIVE = "active"
    """The alliance exists."""
    SUCCEEDED = "succeeded"
    """Another alliance has replaced it."""
    DISSOLVED = "dissolved"
    """It was dissolved."""


class MemberRole(StrEnum):
    """The role of a place in an alliance."""

    MEMBER = "member"
    """A member."""
    CHAIR = "chair"
    """A member that chairs it."""
    OBSERVER = "observer"
    """It observes, and is no member."""
    ENDORSER = "endorser"
    """It endorses the declarations of the alliance, and is no member."""
    GUEST = "guest"
    """It attends as a guest, and is no member."""

    @property
    def is_membership(self) -> bool:
        """Whether a participant in this role is a member."""
        return self in (MemberRole.MEMBER, MemberRole.CHAIR)


class MembershipKind(StrEnum):
    """The way in which a place belongs to an alliance."""

    MEMBER = "member"
    """It is a member itself."""
    THROUGH_UNION = "through_union"
    """It is not a member, but belongs to a union that is one."""
    TAKES_PART = "takes_part"
    """It takes part in another role, such as an observer."""
    NONE = "none"
    """It does not belong to it."""
    NOT_KNOWN = "not_known"
    """It is not among the known members, and their list is not published."""


class AnnouncementKind(StrEnum):
    """Kinds of announcements."""

    STATEMENT = "statement"
    """A statement without a promise."""
    COMMITMENT = "commitment"
    """A commitment to something: money, a legal act, a date."""
    PROJECT = "project"
    """The start or progress of a project."""
    DISPUTE = "dispute"
    """A dispute about an act of another party, at the WTO or elsewhere."""
    RESPONSE = "response"
    """A response to an act of another party."""
    ASSESSMENT = "assessment"
    """An assessment: a report, a ruling, a study."""


class Statistic(NamedWord):
    """Statistics that figures have."""

    PRODUCTION = "production", "production"
    """The amount produced in a year."""
    CAPACITY = "capacity", "capacity"
    """The amount that could be produced in a year."""
    RESERVES = "reserves", "reserves"
    """The amount in the ground that is economic to mine."""
    PRODUCTION_SHARE = "production_share", "share of world production"
    """The share of the world's production, as the publisher gives it."""
    RESERVES_SHARE = "reserves_share", "share of world reserves"
    """The share of the world's reserves, as the publisher gives it."""
    PRODUCTION_PROJECTION = "production_projection", "projected production"
    """The amount that a publisher expects to be produced in a year."""
    NET_IMPORT_RELIANCE = "net_import_reliance", "net import reliance"
    """Imports less exports, adjusted for stocks, as a share of consumption. The basis names the
    consumption: apparent, reported or estimated."""
    IMPORT_ORIGINS = "import_origins", "import origins"
    """The origins of a place's imports with the part of each, on average over some years or in
    one."""
    IMPORT_RANKS = "import_ranks", "import origins by rank"
    """The origins of a place's imports in descending order, without numbers."""
    IMPORTS = "imports", "imports"
    """The amount imported in a year."""
    EXPORTS = "exports", "exports"
    """The amount exported in a year."""
    CONSUMPTION = "consumption", "consumption"
    """The amount consumed in a year. The form names the kind: apparent, reported or estimated."""
    STOCKS = "stocks", "stocks"
    """The amount in stock at the end of a year. The form names the holder."""
    STOCKPILE_SHIPMENTS = "stockpile_shipments", "shipments from the stockpile"
    """Shipments from a government stockpile in a year; additions to it are negative."""
    PRICE = "price", "price"
    """The price in a year, on average or at the end, as the basis says."""

    @property
    def has_stage(self) -> bool:
        """Whether its figures are measured at a stage of the supply chain."""
        return self in STAGED

    @property
    def has_period(self) -> bool:
        """Whether its figures belong to a year or several; reserves are stated anew by each edition."""
        return self not in STATED_ANEW

    @property
    def has_origins(self) -> bool:
        """Whether its claims are lists of origins."""
        return self in (Statistic.IMPORT_ORIGINS, Statistic.IMPORT_RANKS)


STAGED = frozenset(
    {
        Statistic.PRODUCTION,
        Statistic.CAPACITY,
        Statistic.PRODUCTION_SHARE,
        Statistic.PRODUCTION_PROJECTION,
    }
)
STATED_ANEW = frozenset({Statistic.RESERVES, Statistic.RESERVES_SHARE})


class Stage(Word):
    """Stages of the supply chain, from the ground to the market, at which a figure is measured."""

    MINE = "mine", "mined"
    """Mining."""
    REFINERY = "refinery", "refined"
    """Refining."""
    SMELTER = "smelter", "smelted"
    """Smelting."""
    PRIMARY = "primary", "produced"
    """Production from ore."""
    SECONDARY = "secondary", "recovered"
    """Production from scrap."""
    PLANT = "plant", "made"
    """Production in a plant, such as a chemical works."""

    verb: str
    """The verb for the output of places: `mined`."""


class HsEdition(StrEnum):
    """An edition of the Harmonized System, by which customs classify goods."""

    HS17 = "hs17"
    """The Harmonized System of 2017."""
    HS22 = "hs22"
    """The Harmonized System of 2022."""


class Qualifier(NamedWord):
    """A qualifier of a number, or the reason for its absence."""

    ABOUT = "about", "about"
    """About the number."""
    NEARLY = "nearly", "nearly"
    """A little less than the number."""
    LESS_THAN = "less_than", "less than"
    """Less than the number."""
    MORE_THAN = "more_than", "more than"
    """More than the number."""
    AT_LEAST = "at_least", "at least"
    """The number or more."""
    RANGE = "range", "to"
    """From the number to the upper end."""
    NIL = "nil", "nil"
    """Nil: the number is 0."""
    WITHHELD = "withheld", "withheld"
    """The publisher withholds the number."""
    NOT_AVAILABLE = "not_available", "not available"
    """The publisher has no number."""
    NOT_APPLICABLE = "not_applicable", "not applicable"
    """A number is not applicable."""
    NOT_STATED = "not_stated", "not stated"
    """The publisher does not state it."""
    INCLUDED_ELSEWHERE = "included_elsewhere", "counted elsewhere"
    """It is counted in another figure."""
    NET_EXPORTER = "net_exporter", "net exporter"
    """The place exports more than it imports: its reliance is at most 0."""
    LARGE = "large", "“large”"
    """Large, in the publisher's word."""
    MODERATE_TO_LARGE = "moderate_to_large", "“moderate to large”"
    """Moderate to large, in the publisher's words."""
    MODERATE = "moderate", "“moderate”"
    """Moderate, in the publisher's word."""
    SMALL = "small", "“small”"
    """Small, in the publisher's word."""
    SOME = "some", "“some”"
    """Some, in the publisher's word."""

    @property
    def has_number(self) -> bool:
        """Whether a quantity with this qualifier carries a number."""
        return self in NUMERIC


NUMERIC = frozenset(
    {
        Qualifier.ABOUT,
        Qualifier.NEARLY,
        Qualifier.LESS_THAN,
        Qualifier.MORE_THAN,
        Qualifier.AT_LEAST,
        Qualifier.RANGE,
        Qualifier.NIL,
    }
)


class PreferenceRule(StrEnum):
    """The reason why a claim is preferred: a judgement on its figure, an order of publishers, or, without
    either, the first publication on the series."""

    JUDGEMENT = "judgement"
    """A recorded judgement on this figure."""
    ORDER = "order"
    """A recorded order of publishers."""
    FIRST = "first"
    """No preference is recorded: the publisher that published first on the series."""


class Checked(NamedWord):
    """The check of a source before the fact was recorded."""

    PAGE = "page", "page read"
    """The cited page or document was read."""
    DATA_FILE = "data_file", "data file read"
    """The number was read from the publisher's file of data."""
    SEED = "seed", "from a list by others"
    """The fact was taken from a list that others had compiled from sources."""
    MEMORY = "memory", "from memory, not checked"
    """Nothing was checked: the fact was recorded from memory."""


class FetchFailure(StrEnum):
    """The reason why a request to a watched source failed. The words are codes, like those of errors."""

    UNREACHABLE = "UNREACHABLE"
    """Its server could not be reached."""
    TIMEOUT = "TIMEOUT"
    """The response was incomplete at the timeout."""
    REFUSED_ADDRESS = "REFUSED_ADDRESS"
    """Connections to its address are not allowed."""
    ROBOTS = "ROBOTS"
    """The publisher's robots.txt does not allow it."""
    RATE_LIMITED = "RATE_LIMITED"
    """The publisher requests a later retry (429, or 503 with a time)."""
    HTTP_STATUS = "HTTP_STATUS"
    """The response has another status than 200 or 304."""
    TOO_LARGE = "TOO_LARGE"
    """The response is larger than the limit."""
    CUT_OFF = "CUT_OFF"
    """The response ended early."""
    TLS = "TLS"
    """The certificate of the server is not valid."""
    REDIRECT = "REDIRECT"
    """There are too many redirects, or one to an address that is not allowed."""
    LAYOUT_CHANGED = "LAYOUT_CHANGED"
    """The response does not have the format expected from this publisher."""
    ENCODING = "ENCODING"
    """The response does not have its declared encoding, declares two, or has a content coding that
    was not requested."""
    INCOMPLETE = "INCOMPLETE"
    """The number of items in the list differs from the number that the publisher states."""
    TRUNCATED = "TRUNCATED"
    """The publisher has truncated its list."""


VOCABULARIES: tuple[type[StrEnum], ...] = tuple(
    vocabulary
    for vocabulary in globals().values()
    if isinstance(vocabulary, type)
    and issubclass(vocabulary, StrEnum)
    and vocabulary not in (StrEnum, Word, NamedWord, Hue, Shape, Phase)
)
"""The vocabularies of the API, each of whose words has a docstring."""
