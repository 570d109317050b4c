"""Names of figures and their publishers. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.pages.site.words import publisher_of
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.wording.phrases import figure_phrase, place_in_text, short_date, word_phrase

Series = Mapping[str, Any]
"""A series as in the API."""


def product(name: str, form: str | None) -> str:
    """Return a commodity and its form, if one stage has several: `Titanium, sponge`."""
    return f"{name}, {word_phrase(form)}" if form else name


def kind_of_figure(statistic: str, stage: str | None) -> str:
    """Return the kind of a figure: `mine production`, `reserves`."""
    return figure_phrase(Statistic[statistic], Stage[stage] if stage else None)


def series_title(series: Series) -> str:
    """Return the name of a figure: `Rare earths: mine production of China, 2023`."""
    title = (
        f"{product(series['commodity']['name'], series['form'])}:"
        f" {kind_of_figure(series['statistic'], series['stage'])}"
        f" of {place_in_text(series['place']['code'])}"
    )
    years = years_of(series)
    return f"{title}, {years}" if years else title


def years_of(series: Series) -> str:
    """Return the year of a series, or the years of an average: `2021 to 2024`; nothing for reserves."""
    if series["period"] is None:
        return ""
    until = series.get("until")
    return f"{series['period']} to {until}" if until else str(series["period"])


def edition_of(claim: Mapping[str, Any]) -> str:
    """Return the edition of a claim with its version, without the publisher's name, which precedes it."""
    edition = str(claim["edition"])
    version = claim["editionVersion"]
    short = edition.removeprefix(publisher_of(claim["source"])).removeprefix(
        claim["publisher"].upper()
    )
    return f"{short.strip() or edition}, version {version}" if version else short.strip() or edition


def as_of_words(moment: Mapping[str, Any]) -> str:
    """Return the moment of an image: `as of 25 Nov 2026, known at position 10,229`."""
    position = f"{int(moment['position']):,}"
    return f"as of {short_date(moment['validAt'])}, known at position {position}"
