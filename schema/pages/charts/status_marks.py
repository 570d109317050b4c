"""Styles of statuses and measures: a shape and a word for each status, a hue for each kind of measure.

The same shapes are used in marks beside words and in bars. A word always accompanies the hue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class MarkStyle(StrEnum):
    """The style of a period of a status."""

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


@dataclass(frozen=True)
class StatusStyle:
    """The style and the name of a status."""

    style: MarkStyle
    word: str


STATUS_STYLES: Mapping[str, StatusStyle] = {
    "PROPOSED": StatusStyle(MarkStyle.DASHED, "proposed"),
    "RECOMMENDED": StatusStyle(MarkStyle.DASHED, "recommended"),
    "NEGOTIATED": StatusStyle(MarkStyle.DASHED, "negotiated"),
    "ANNOUNCED": StatusStyle(MarkStyle.HOLLOW, "announced"),
    "IN_FORCE": StatusStyle(MarkStyle.SOLID, "in force"),
    "SUSPENDED": StatusStyle(MarkStyle.HATCHED, "suspended"),
    "EXPIRED": StatusStyle(MarkStyle.LINE, "expired"),
    "LAPSED": StatusStyle(MarkStyle.LINE, "lapsed"),
    "CONCLUDED": StatusStyle(MarkStyle.LINE, "concluded"),
    "REPEALED": StatusStyle(MarkStyle.DOTS, "repealed"),
    "WITHDRAWN": StatusStyle(MarkStyle.DOTS, "withdrawn"),
}
"""Styles by the statuses of the API."""

ENDED = frozenset({MarkStyle.LINE, MarkStyle.DOTS})
"""Styles of ended statuses."""


class Hue(StrEnum):
    """A kind of measure, as a colour."""

    BAN = "ban"
    LICENCE = "licence"
    QUOTA = "quota"
    TARIFF = "tariff"
    OTHER = "other"


HUES: Mapping[str, Hue] = {
    "LICENCE": Hue.LICENCE,
    "DUAL_USE_LICENCE": Hue.LICENCE,
    "TRADE_LICENCE": Hue.LICENCE,
    "REVIEW": Hue.LICENCE,
    "STATE_TRADING": Hue.LICENCE,
    "BAN": Hue.BAN,
    "PROCESSING": Hue.BAN,
    "QUOTA": Hue.QUOTA,
    "DOMESTIC_SALES": Hue.QUOTA,
    "TARIFF": Hue.TARIFF,
    "TARIFF_RATE_QUOTA": Hue.TARIFF,
    "PRICE_FLOOR": Hue.TARIFF,
    "INVESTIGATION": Hue.OTHER,
}
"""Hues by the measures of the API. A domestic processing rule counts as a ban; an investigation restricts
nothing and has no hue."""

LEGEND_WORDS: Mapping[MarkStyle, str] = {
    MarkStyle.HOLLOW: "announced",
    MarkStyle.SOLID: "in force",
    MarkStyle.HATCHED: "suspended",
    MarkStyle.LINE: "expired",
    MarkStyle.DOTS: "repealed",
    MarkStyle.DASHED: "not law",
}
"""Words of the legend by style; "not law" only where it occurs."""

HUE_WORDS: Mapping[str, str] = {
    Hue.BAN: "ban",
    Hue.LICENCE: "licence",
    Hue.QUOTA: "quota",
    Hue.TARIFF: "tariff",
    Hue.OTHER: "investigation",
}
"""Words of the legend."""

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

    def hatch(self, name: str) -> str:
        """Return the hatch of a colour; `patterns()` of the templates defines it."""
        return f"url(#hatch-{name})"


ON_PAGE = Paint(PAGE_COLOURS)
