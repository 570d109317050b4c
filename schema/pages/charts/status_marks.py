"""How a status and a measure look: a shape and a word for each status, a hue for each kind of measure.

The same shapes are in marks beside words and in bars; hue is never alone, the word stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Look(StrEnum):
    """How the time of a status is drawn."""

    HOLLOW = "hollow"
    """A thin outline: law that is not yet in force."""
    DASHED = "dashed"
    """The same, dashed: not law."""
    SOLID = "solid"
    HATCHED = "hatched"
    LINE = "line"
    """A line behind an end stop: over, as it was foreseen."""
    DOTS = "dots"
    """A dotted line behind a cross: ended by an act."""


@dataclass(frozen=True)
class StatusLook:
    """How a status is drawn and named."""

    look: Look
    word: str


LOOKS: Mapping[str, StatusLook] = {
    "PROPOSED": StatusLook(Look.DASHED, "proposed"),
    "RECOMMENDED": StatusLook(Look.DASHED, "recommended"),
    "NEGOTIATED": StatusLook(Look.DASHED, "negotiated"),
    "ANNOUNCED": StatusLook(Look.HOLLOW, "announced"),
    "IN_FORCE": StatusLook(Look.SOLID, "in force"),
    "SUSPENDED": StatusLook(Look.HATCHED, "suspended"),
    "EXPIRED": StatusLook(Look.LINE, "expired"),
    "LAPSED": StatusLook(Look.LINE, "lapsed"),
    "CONCLUDED": StatusLook(Look.LINE, "concluded"),
    "REPEALED": StatusLook(Look.DOTS, "repealed"),
    "WITHDRAWN": StatusLook(Look.DOTS, "withdrawn"),
}
"""By the statuses of the API."""

ENDED = frozenset({Look.LINE, Look.DOTS})
"""Looks of what does not apply any more."""


class Hue(StrEnum):
    """A kind of measure by its colour."""

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
"""By the measures of the API. What nobody may export raw is banned so far; an investigation
restricts nothing and has no colour of its own."""

HUE_WORDS: Mapping[str, str] = {
    Hue.BAN: "ban",
    Hue.LICENCE: "licence",
    Hue.QUOTA: "quota",
    Hue.TARIFF: "tariff",
    Hue.OTHER: "investigation",
}
"""The words of the legend."""

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
    "ban": "#b03a06",
    "licence": "#123a9c",
    "quota": "#147a64",
    "tariff": "#5f2a6a",
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
"""The same in the light theme, for images that stand alone: no style sheet reaches them."""


@dataclass(frozen=True)
class Paint:
    """How a drawing is written: with which colours, and whether x is in percent or in pixels."""

    colours: Mapping[str, str]
    width_px: float | None = None
    """The width of the drawing in an image of its own; None: it stretches with the page."""

    def x(self, percent: float) -> str:
        """A place or a width along the drawing, as an attribute."""
        if self.width_px is None:
            return f"{percent:.7g}%"
        return f"{percent * self.width_px / 100:.2f}"

    def colour(self, name: str) -> str:
        """A colour, as an attribute."""
        return self.colours[name]

    def hatch(self, name: str) -> str:
        """The hatch of a colour; `patterns()` of the templates defines it."""
        return f"url(#hatch-{name})"


ON_PAGE = Paint(PAGE_COLOURS)
