"""The closed vocabularies of facts."""

from __future__ import annotations

from enum import StrEnum


class Direction(StrEnum):
    """The trade that a control restricts: exports, imports or production."""

    EXPORT = "export"
    IMPORT = "import"
    PRODUCTION = "production"


class Measure(StrEnum):
    """The kind of restriction of trade."""

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
    """The subject of a clause: the goods themselves, or the means to make them."""

    GOODS = "goods"
    TECHNOLOGY = "technology"
    EQUIPMENT = "equipment"
    MATERIALS = "materials"
    SERVICES = "services"


class Form(StrEnum):
    """The form in which goods are traded, from the ore to the article."""

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
    """The kind of end of a clause without a known last day."""

    OPEN = "open"
    UNKNOWN = "unknown"
    CONDITION = "condition"


class Outcome(StrEnum):
    """The way in which a clause ended without being repealed."""

    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    CONCLUDED = "concluded"


class Reach(StrEnum):
    """The extent to which a clause covers a supply."""

    FULL = "full"
    PARTLY = "partly"
    OTHER = "other"


class ClauseStatus(StrEnum):
    """The status of a clause on a day."""

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
    """The basis of a status that no source states."""

    AUTOMATIC_RETURN = "automatic_return"
    END_UNKNOWN = "end_unknown"


class DutyRelation(StrEnum):
    """The effect of a duty on another one for the same goods."""

    ADDS_TO = "adds_to"
    YIELDS_TO = "yields_to"
    CAPPED_AT = "capped_at"
    INCLUDES_ORDINARY = "includes_ordinary"


class Confirmation(StrEnum):
    """Whether recorded acts support a status."""

    CONFIRMED = "confirmed"
    BY_TERMS = "by_terms"
    CONTRADICTED = "contradicted"


class Match(StrEnum):
    """Whether a clause certainly covers the goods of a query."""

    CERTAIN = "certain"
    POSSIBLE = "possible"


class ActKind(StrEnum):
    """A kind of act in lists, for which completeness is stated."""

    EXPORT_CONTROL = "export_control"
    ENTITY_LIST = "entity_list"
    LICENCE_CATALOGUE = "licence_catalogue"
    IMPORT_MEASURE = "import_measure"
    ANNOUNCEMENT = "announcement"
    ALLIANCE = "alliance"
    FIGURE = "figure"


class CompletenessLevel(StrEnum):
    """The extent to which the lists behind a response were read."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    NONE = "none"


class AllianceStatus(StrEnum):
    """The status of an alliance on a day."""

    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    DISSOLVED = "dissolved"


class MemberRole(StrEnum):
    """The role of a place in an alliance."""

    MEMBER = "member"
    CHAIR = "chair"
    OBSERVER = "observer"
    ENDORSER = "endorser"
    GUEST = "guest"

    @property
    def is_membership(self) -> bool:
        """Whether a participant in this role is a member."""
        return self in (MemberRole.MEMBER, MemberRole.CHAIR)


class MembershipKind(StrEnum):
    """The way in which a place belongs to an alliance."""

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
    PRODUCTION_PROJECTION = "production_projection"
    NET_IMPORT_RELIANCE = "net_import_reliance"
    IMPORT_ORIGINS = "import_origins"
    IMPORT_RANKS = "import_ranks"
    IMPORTS = "imports"
    EXPORTS = "exports"
    CONSUMPTION = "consumption"
    STOCKS = "stocks"
    STOCKPILE_SHIPMENTS = "stockpile_shipments"
    PRICE = "price"

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


class Stage(StrEnum):
    """Stages of the supply chain, from the ground to the market, at which a figure is measured."""

    MINE = "mine"
    REFINERY = "refinery"
    SMELTER = "smelter"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    PLANT = "plant"


class HsEdition(StrEnum):
    """An edition of the Harmonized System, by which customs classify goods."""

    HS17 = "hs17"
    HS22 = "hs22"


class Qualifier(StrEnum):
    """A qualifier of a number, or the reason for its absence."""

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
    NET_EXPORTER = "net_exporter"
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
    """The reason why a claim is preferred: a judgement on its figure, an order of publishers, or, without
    either, the first publication on the series."""

    JUDGEMENT = "judgement"
    ORDER = "order"
    FIRST = "first"


class Checked(StrEnum):
    """The check of a source before the fact was recorded."""

    PAGE = "page"
    DATA_FILE = "data_file"
    SEED = "seed"
    MEMORY = "memory"


class FetchFailure(StrEnum):
    """The reason why a request to a watched source failed. The words are codes, like those of errors."""

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
