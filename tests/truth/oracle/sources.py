"""Lists by the sources of claims, figures and instruments, some with several sources."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from random import Random
from typing import Any

from tests.support.api import Api
from tests.truth.oracle.claims import Figure
from tests.truth.oracle.events import CountingEvent, last_day
from tests.truth.oracle.law import Instrument
from tests.truth.oracle.law_answers import moment, pages

READ = ("page", "data_file")
CHECKS = (*READ, "seed", "memory")
MORE = ("iea", "wto", "reuters")
LATER = {"from": "2024-06-01"}
QUESTIONS: tuple[dict[str, Any], ...] = (
    *({"verified": value} for value in (True, False)),
    *({"primary": value} for value in (True, False)),
    *({"checked": word} for word in CHECKS),
    *({"publisher": word} for word in MORE),
    *({"published": LATER}, {"publisher": "iea", "published": LATER}),
)

Fits = Callable[[dict[str, Any]], bool]
"""A filter of list items."""


def any_sources(chance: Random, source: dict[str, Any]) -> dict[str, Any]:
    """Return a random source of a fact, sometimes with others; each names the author of its text."""
    return {
        "source": source | _how(chance),
        "moreSources": [
            source | {"publisher": chance.choice(MORE), "publishedOn": "2024-07"} | _how(chance)
            for _ in range(chance.choice((0, 0, 0, 1, 2)))
        ],
    }


def _how(chance: Random) -> dict[str, Any]:
    return {"checked": chance.choice(CHECKS).upper(), "primary": chance.random() < 0.6}


def of_fact(event: CountingEvent) -> list[dict[str, Any]]:
    """Return all sources of a fact, its own first."""
    return [event.data["source"], *event.data.get("moreSources", [])]


def rests_on(event: CountingEvent, name: str, value: bool, issuer: str | None = None) -> bool:
    """Whether one of its sources is the issuer's text and, for `verified`, was read."""
    return value is any(
        _is_issuers_own(source, issuer) and (name == "primary" or _checked(source) in READ)
        for source in of_fact(event)
    )


def _is_issuers_own(source: dict[str, Any], issuer: str | None) -> bool:
    """Whether a source is the issuer's own; for China its ministry is the only such publisher here."""
    can = issuer is None or (source["publisher"], issuer) == ("mofcom", "CN")
    return can and source.get("primary", False)


def has(source: dict[str, Any], name: str, value: Any) -> bool:
    """Whether a source has a publisher, a day in a range, or a method of checking."""
    if name == "published":
        return str(last_day(source["publishedOn"])) >= value["from"]
    return bool((_checked(source) if name == "checked" else source.get(name)) == value)


def _checked(source: dict[str, Any]) -> str:
    """Return the method of checking; the default is from memory."""
    return str(source.get("checked", "memory"))


def answers(
    events: Sequence[CountingEvent], asked: dict[str, Any], issuer: str | None = None
) -> bool:
    """Whether each of some facts has a matching source, or one of all sources matches."""
    return all(
        all(rests_on(event, name, True, issuer) for event in events) is value
        if name in ("verified", "primary")
        else any(has(source, name, value) for event in events for source in of_fact(event))
        for name, value in asked.items()
    )


def claim_answers(event: CountingEvent, asked: dict[str, Any]) -> bool:
    """Whether a claim matches; only its own source counts for publication and checking."""
    return all(
        rests_on(event, name, value)
        if name in ("verified", "primary")
        else has(event.data["source"], name, value)
        for name, value in asked.items()
    )


async def compare_sources(
    api: Api, at: tuple[date, int], expected: dict[str, dict[str, Fits]]
) -> list[str]:
    """Return the differences in lists filtered by sources."""
    found = []
    for asked in QUESTIONS:
        written = ", ".join(f"{key}: {_written(key, value)}" for key, value in asked.items())
        arguments = f"{written}, first: 200, after: $after"
        for field, of in expected.items():
            item = "position" if field == "claims" else "key"
            listed = await pages(api, moment(*at), field, arguments, f"nodes {{ {item} }}")
            answer = sorted(one[item] for one in listed)
            wanted = sorted(key for key, fits in of.items() if fits(asked))
            if answer != wanted:
                found.append(f"{at} {field} {asked}: expected {wanted}, answered {answer}")
    return found


def of_figures(public: dict[str, Figure]) -> dict[str, dict[str, Fits]]:
    """Return the expected filters of figures and claims."""
    figures, claims = dict[str, Fits](), dict[str, Fits]()
    for key, figure in public.items():
        events = [*(claim.event for claim in figure.claims), *figure.judgements]
        figures[key] = partial(answers, events)
        claims |= {str(one.position): partial(claim_answers, one.event) for one in figure.claims}
    return {"figures": figures, "claims": claims}


def of_instruments(found: dict[str, Instrument]) -> dict[str, dict[str, Fits]]:
    """Return the expected filters of instruments."""
    return {
        "exportControls": {
            key: partial(answers, one.events, issuer=one.opening.data["issuer"])
            for key, one in found.items()
        }
    }


def _written(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f'{{from: "{value["from"]}"}}'
    return str(value).upper() if name == "checked" else json.dumps(value)
