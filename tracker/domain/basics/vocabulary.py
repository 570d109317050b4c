"""The closed vocabularies of alliances, announcements, figures, sources and polls."""

from enum import StrEnum

from tracker.domain.basics.word import NamedWord, Word, vocabularies_of


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
    """It observes, and is not a member."""
    ENDORSER = "endorser"
    """It endorses the declarations of the alliance, and is not a member."""
    GUEST = "guest"
    """It attends as a guest, and is not a member."""

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


class EvidenceLevel(NamedWord):
    """The ground of a fact, or of one of its fields: the best first."""

    VERIFIED = "verified", "read in the issuer's own text"
    """Read in the issuer's text at the issuer's address, or in its file of data."""
    TWO_COPIES_AGREE = "two_copies_agree", "read in two equal copies of the issuer's text"
    """Read in two independent copies of the issuer's text that are equal letter by letter."""
    ISSUER_TEXT_COPY = "issuer_text_copy", "read in a copy of the issuer's text"
    """Read in the issuer's language in a copy at a fixed address, with its SHA-256."""
    SECONDARY = "secondary", "from a secondary source"
    """Taken from a report, a translation, an extract or a list by others."""
    MEMORY = "memory", "from memory, not checked"
    """Nobody read it before it was recorded."""

    @property
    def rank(self) -> int:
        """Its place, 0 for the best."""
        return [*EvidenceLevel].index(self)


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


class ObligationRole(StrEnum):
    """The role in which somebody is obliged."""

    PRODUCER = "producer"
    """Mines, refines or recycles the minerals."""
    MANUFACTURER = "manufacturer"
    """Makes products of them."""
    IMPORTER = "importer"
    """Imports the goods."""
    EXPORTER = "exporter"
    """Exports the goods."""
    TRADER = "trader"
    """Places the goods on the market, sells, stores or carries them."""
    PROJECT = "project"
    """Promotes a project."""
    FIRM = "firm"
    """Any firm: an obligation with this role is one of all roles of firms."""
    STATE = "state"
    """A state, a union of states or an authority."""


class DueStatus(NamedWord):
    """The reason for the next due day of an obligation, or for its absence."""

    DATED = "dated", "due by a day"
    """It is due by a day."""
    OPEN = "open", "due after an event"
    """It is due after an event whose day is not recorded."""
    EACH_TIME = "each_time", "due each time"
    """It is due at each occasion of its kind, such as an export."""
    AT_ALL_TIMES = "at_all_times", "applies at all times"
    """It applies at all times, without a due day."""
    PASSED = "passed", "its due day has passed"
    """Its due day has passed, and it does not recur."""
    ENDED = "ended", "no longer applies"
    """It is repealed or past its last day."""


class TextKind(StrEnum):
    """The kind of a version of the text of an act."""

    ADOPTED = "adopted"
    """The text as the issuer adopted it."""
    CONSOLIDATED = "consolidated"
    """The text with later amendments, as an authority publishes it."""
    TRANSLATION = "translation"
    """A translation."""


class TextStatus(NamedWord):
    """The relation of a version of a text to a day."""

    GOVERNS = "governs", "governs"
    """It governs the day as far as recorded: the day is its first, or before the next recorded version."""
    NOT_CONFIRMED = "not_confirmed", "not confirmed"
    """It is the last recorded version, and an unrecorded one may govern the day."""
    NOT_IN_FORCE = "not_in_force", "adopted, not in force"
    """It is adopted, and governs from a later day."""
    NOT_RECORDED = "not_recorded", "not recorded"
    """No version of the day is recorded."""


class TextChange(StrEnum):
    """The kind of change of a unit of a text, or of a run of its words."""

    SAME = "same"
    """The bytes are equal."""
    FORMATTED = "formatted"
    """The words are equal, with other formatting."""
    REPLACED = "replaced"
    """Other words are in its place."""
    ADDED = "added"
    """It is in the newer version only."""
    REMOVED = "removed"
    """It is in the older version only."""


VOCABULARIES = vocabularies_of(globals())
"""The vocabularies of this module, each of whose words has a docstring."""
