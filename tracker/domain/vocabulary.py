"""The closed lists of words that facts are written in."""

from __future__ import annotations

from enum import StrEnum


class Direction(StrEnum):
    """What a control acts on."""

    EXPORT = "export"
    IMPORT = "import"
    PRODUCTION = "production"


class Measure(StrEnum):
    """How a control works."""

    LICENCE = "licence"
    BAN = "ban"
    QUOTA = "quota"
    TARIFF = "tariff"


class Covers(StrEnum):
    """What a clause is about: the goods themselves or the know-how to make them."""

    GOODS = "goods"
    TECHNOLOGY = "technology"


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


class ClauseStatus(StrEnum):
    """Where a clause stands on a day."""

    ANNOUNCED = "announced"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REPEALED = "repealed"


class AllianceStatus(StrEnum):
    """Where an alliance stands on a day."""

    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    DISSOLVED = "dissolved"


class AnnouncementKind(StrEnum):
    """What an announcement does."""

    STATEMENT = "statement"
    COMMITMENT = "commitment"
    PROJECT = "project"
    DISPUTE = "dispute"
    RESPONSE = "response"
    ASSESSMENT = "assessment"


class Statistic(StrEnum):
    """What a figure counts."""

    PRODUCTION = "production"
    CAPACITY = "capacity"
    RESERVES = "reserves"
    PRODUCTION_SHARE = "production_share"
    RESERVES_SHARE = "reserves_share"


class Stage(StrEnum):
    """Where in the chain from the ground to the market a figure is taken."""

    MINE = "mine"
    REFINERY = "refinery"
    SMELTER = "smelter"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    PLANT = "plant"


class Qualifier(StrEnum):
    """What stands beside, or instead of, the number of a quantity (design rule 6)."""

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
    """How this tracker looked at a source before recording what it says."""

    PAGE = "page"
    DATA_FILE = "data_file"
    SEED = "seed"
    MEMORY = "memory"
