"""The closed vocabularies of controls, their clauses and checks of shipments."""

from enum import StrEnum

from tracker.domain.basics.word import Hue, NamedWord, Phase, Shape, Word, vocabularies_of


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
    ORDERED_RETURN = "ordered_return"
    """It was suspended, and an act ordered in advance that it is in force again from this day. No record of
    the day or later names it."""
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
    AS_RECORDED = "as_recorded", "as recorded", "as recorded before this date"
    """Such a record supports it, but nothing that names it is recorded on that day or later."""
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

    @property
    def is_supported(self) -> bool:
        """Whether a record of its first day or later supports a status."""
        return self in (Confirmation.CONFIRMED, Confirmation.AS_RECORDED)


UNCONFIRMED = (Confirmation.BY_TERMS, Confirmation.CONTRADICTED, Confirmation.AS_RECORDED)
"""The confirmations of statuses that no record confirms on their date."""


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
    AS_RECORDED = "as_recorded"
    """All conditions are met, and a record supports its status, but nothing is recorded up to the date."""
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
    OBLIGATION = "obligation", "obligations"
    """Obligations that acts put on firms and states."""
    FIGURE = "figure", "figures"
    """Figures."""


VOCABULARIES = vocabularies_of(globals())
"""The vocabularies of this module, each of whose words has a docstring."""
