"""Words and colours for the shapes of statuses and the hues of measures. A word accompanies each hue."""

from collections.abc import Mapping
from dataclasses import dataclass

from tracker.domain.basics.control_vocabulary import Confirmation
from tracker.domain.basics.word import Hue, Shape

LEGEND_WORDS: Mapping[str, str] = {
    Shape.HOLLOW: "announced",
    Shape.SOLID: "in force",
    "terms": "in force, not confirmed",
    "contradicted": "in force, contradicted by a statement",
    Shape.HATCHED: "suspended",
    Shape.LINE: "expired",
    Shape.DOTS: "repealed",
    Shape.DASHED: "not law",
}
"""Words of the legend by style."""
RARE_STYLES = frozenset({Shape.DASHED, "terms", "contradicted"})
"""Styles that the legend has only where they occur."""
DOUBTED_STYLES = {"BY_TERMS": "terms", "CONTRADICTED": "contradicted"}
"""Styles of clauses in force that no record confirms, by their confirmation: hatched and dotted."""

HUE_WORDS: Mapping[str, str] = {
    Hue.BAN: "ban",
    Hue.LICENCE: "licence",
    Hue.QUOTA: "quota",
    Hue.TARIFF: "tariff",
    Hue.OTHER: "investigation",
}
"""Words of the legend."""

DOUBTS: Mapping[str, str] = {
    "CONFIRMED": "",
    "AS_RECORDED": "as recorded",
    "BY_TERMS": "not confirmed",
    "CONTRADICTED": "contradicted",
}
"""Words for the doubt about a status, by its confirmation."""
SUPPORTED = frozenset(one.name for one in Confirmation if one.is_supported)
"""Confirmations by a record."""


def unsupported(support: Mapping[str, int]) -> int:
    return sum(count for name, count in support.items() if name not in SUPPORTED)


def doubts(support: Mapping[str, int]) -> str:
    """Return the numbers of clauses that are not confirmed, or confirmed only before the date, in words."""
    words = {
        "not confirmed": unsupported(support),
        Confirmation.AS_RECORDED.plural: support.get("AS_RECORDED", 0),
    }
    return " and ".join(f"{count:,} {word}" for word, count in words.items() if count)


PAGE_COLOURS: Mapping[str, str] = {
    "ban": "var(--ban)",
    "licence": "var(--licence)",
    "quota": "var(--quota)",
    "tariff": "var(--tariff)",
    "other": "var(--ink-2)",
    "ink": "var(--ink)",
    "ink-2": "var(--ink-2)",
    "ink-3": "var(--ink-3)",
    "paper": "var(--paper)",
    "line": "var(--line)",
    "edge": "var(--edge)",
    "valid": "var(--valid)",
    "known": "var(--known)",
    "known-wash": "var(--known-wash)",
}
"""Tokens of the style sheet, which follow the theme of the reader."""
IMAGE_COLOURS: Mapping[str, str] = {
    "ban": "#560105",
    "licence": "#051a62",
    "quota": "#44976d",
    "tariff": "#ac6cd0",
    "other": "#454a52",
    "ink": "#16191d",
    "ink-2": "#454a52",
    "ink-3": "#656a72",
    "paper": "#fcfbf8",
    "line": "#dfdbd1",
    "edge": "#8a8578",
    "valid": "#0a568c",
    "known": "#8a4b00",
    "known-wash": "#f9ecd9",
}
"""Colours of the light theme, for images without a style sheet."""


@dataclass(frozen=True)
class Paint:
    """The output settings of a drawing: colours, and x in percent or in pixels."""

    colours: Mapping[str, str]
    width_px: float | None = None
    """Width of the drawing in a separate image; None: it stretches with the page."""

    def x(self, percent: float) -> str:
        """Return a location or a width along the drawing, as an attribute."""
        if self.width_px is None:
            return f"{percent:.7g}%"
        return f"{percent * self.width_px / 100:.2f}"

    def colour(self, name: str) -> str:
        """Return a colour, as an attribute."""
        return self.colours[name]

    def hatch(self, name: str, style: str = "hatch") -> str:
        """Return the pattern of a style and a colour; `patterns()` of the templates defines it."""
        return f"url(#{style}-{name})"


ON_PAGE = Paint(PAGE_COLOURS)
