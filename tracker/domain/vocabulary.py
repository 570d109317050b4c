"""The closed lists of words that facts are written in."""

from __future__ import annotations

from enum import StrEnum


class Direction(StrEnum):
    """What a control restricts: exports, imports or production."""

    EXPORT = "export"
    IMPORT = "import"
    PRODUCTION = "production"


class Measure(StrEnum):
    """How a control restricts trade."""

    LICENCE = "licence"
    DUAL_USE_LICENCE = "dual_use_licence"
    TRADE_LICENCE = "trade_licence"
    REVIEW = "review"
    BAN = "ban"
    QUOTA = "quota"
    TARIFF = "tariff"
    TARIFF_RATE_QUOTA = "tariff_rate_quota"
    PRICE_FLOOR = "price_floor"
    STATE_TRADING = "state_trading"
    INVESTIGATION = "investigation"
    DOMESTIC_SALES = "domestic_sales"
    PROCESSING = "processing"


class Covers(StrEnum):
    """What a clause covers: the goods themselves, or the means to make them."""

    GOODS = "goods"
    TECHNOLOGY = "technology"
    EQUIPMENT = "equipment"
    MATERIALS = "materials"
    SERVICES = "services"


class Form(StrEnum):
    """In which form goods are traded, from the ore to the article."""

    ORE = "ore"
    CONCENTRATE = "concentrate"
    INTERMEDIATE = "intermediate"
    OXIDE = "oxide"
    COMPOUND = "compound"
    METAL = "metal"
    ALLOY = "alloy"
    MAGNET = "magnet"
    SCRAP = "scrap"
    ARTICLE = "article"


class Territory(StrEnum):
    """The territory whose goods are controlled: the issuer's own, abroad, or both."""

    HOME = "home"
    ALSO_ABROAD = "also_abroad"
    ONLY_ABROAD = "only_abroad"


class QuotaPart(StrEnum):
    """Whether an amount is all of its period's quota or one of several batches that add up."""

    BATCH = "batch"
    TOTAL = "total"


class LegalStage(StrEnum):
    """The legal stage of a clause, from proposal to law."""

    ADOPTED = "adopted"
    PROPOSED = "proposed"
    RECOMMENDED = "recommended"
    NEGOTIATED = "negotiated"


class ClauseEnd(StrEnum):
    """How a clause ends that has no known last day."""

    OPEN = "open"
    UNKNOWN = "unknown"
    CONDITION = "condition"


class Outcome(StrEnum):
    """How a clause was discontinued without being repealed."""

    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    CONCLUDED = "concluded"


class Reach(StrEnum):
    """How far a clause reaches a supply that it is about."""

    FULL = "full"
    PARTLY = "partly"
    OTHER = "other"


class ClauseStatus(StrEnum):
    """Whether a clause applies on a day, or why not."""

    PROPOSED = "proposed"
    RECOMMENDED = "recommended"
    NEGOTIATED = "negotiated"
    ANNOUNCED = "announced"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REPEALED = "repealed"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    CONCLUDED = "concluded"


class Assumption(StrEnum):
    """On what a status rests where no source says so."""

    AUTOMATIC_RETURN = "automatic_return"
    END_UNKNOWN = "end_unknown"


class Confirmation(StrEnum):
    """Whether recorded acts support a status."""

    CONFIRMED = "confirmed"
    BY_TERMS = "by_terms"
    CONTRADICTED = "contradicted"


class Match(StrEnum):
    """Whether a clause covers the goods of a query for certain."""

    CERTAIN = "certain"
    POSSIBLE = "possible"


class ActKind(StrEnum):
    """A kind of act that a list has, as completeness is stated for it."""

    EXPORT_CONTROL = "export_control"
    ENTITY_LIST = "entity_list"
    LICENCE_CATALOGUE = "licence_catalogue"
    IMPORT_MEASURE = "import_measure"
    ANNOUNCEMENT = "announcement"
    ALLIANCE = "alliance"
    FIGURE = "figure"


class CompletenessLevel(StrEnum):
    """Whether the lists behind an answer were read."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    NONE = "none"


class AllianceStatus(StrEnum):
    """The status of an alliance on a day."""

    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    DISSOLVED = "dissolved"


class MemberRole(StrEnum):
    """In which role a place takes part in an alliance."""

    MEMBER = "member"
    CHAIR = "chair"
    OBSERVER = "observer"
    ENDORSER = "endorser"
    GUEST = "guest"

    @property
    def is_membership(self) -> bool:
        """Whether who takes part in this role is a member."""
        return self in (MemberRole.MEMBER, MemberRole.CHAIR)


class MembershipKind(StrEnum):
    """How a place belongs to an alliance."""

    MEMBER = "member"
    THROUGH_UNION = "through_union"
    TAKES_PART = "takes_part"
    NONE = "none"
    NOT_KNOWN = "not_known"


class AnnouncementKind(StrEnum):
    """Kinds of announcements."""

    STATEMENT = "statement"
    COMMITMENT = "commitment"
    PROJECT = "project"
    DISPUTE = "dispute"
    RESPONSE = "response"
    ASSESSMENT = "assessment"


class Statistic(StrEnum):
    """Statistics that figures have."""

    PRODUCTION = "production"
    CAPACITY = "capacity"
    RESERVES = "reserves"
    PRODUCTION_SHARE = "production_share"
    RESERVES_SHARE = "reserves_share"


class Stage(StrEnum):
    """Stages of the supply chain, from the ground to the market, at which a figure is measured."""

    MINE = "mine"
    REFINERY = "refinery"
    SMELTER = "smelter"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    PLANT = "plant"


class Qualifier(StrEnum):
    """How the number of a quantity is qualified, or why there is none."""

    ABOUT = "about"
    NEARLY = "nearly"
    LESS_THAN = "less_than"
    MORE_THAN = "more_than"
    AT_LEAST = "at_least"
    RANGE = "range"
    NIL = "nil"
    WITHHELD = "withheld"
    NOT_AVAILABLE = "not_available"
    NOT_APPLICABLE = "not_applicable"
    NOT_STATED = "not_stated"
    INCLUDED_ELSEWHERE = "included_elsewhere"
    LARGE = "large"
    MODERATE_TO_LARGE = "moderate_to_large"
    MODERATE = "moderate"
    SMALL = "small"
    SOME = "some"

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
    """Why a claim is preferred: by a judgement on its figure, by an order of publishers, or, where
    nothing is recorded, because its publisher was the first to publish on the series.
    """

    JUDGEMENT = "judgement"
    ORDER = "order"
    FIRST = "first"


class Checked(StrEnum):
    """How the source was checked before the fact was recorded."""

    PAGE = "page"
    DATA_FILE = "data_file"
    SEED = "seed"
    MEMORY = "memory"


class FetchFailure(StrEnum):
    """Why a request to a watched source failed. The words are codes, as those of errors are."""

    UNREACHABLE = "UNREACHABLE"
    TIMEOUT = "TIMEOUT"
    REFUSED_ADDRESS = "REFUSED_ADDRESS"
    ROBOTS = "ROBOTS"
    RATE_LIMITED = "RATE_LIMITED"
    HTTP_STATUS = "HTTP_STATUS"
    TOO_LARGE = "TOO_LARGE"
    CUT_OFF = "CUT_OFF"
    TLS = "TLS"
    REDIRECT = "REDIRECT"
    LAYOUT_CHANGED = "LAYOUT_CHANGED"
    ENCODING = "ENCODING"
    INCOMPLETE = "INCOMPLETE"
    TRUNCATED = "TRUNCATED"
