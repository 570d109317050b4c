"""Expected results of queries for figures, and actual results in the same form."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from tests.truth.oracle.claims import Figure
from tests.truth.oracle.claims import figures as figures_on
from tests.truth.oracle.declared import GROUPS, countries_of
from tests.truth.oracle.events import CountingEvent
from tests.truth.oracle.queries import simple
from tests.truth.oracle.shares import (
    NO_COUNTRIES,
    Distribution,
    chosen_product,
    distribution,
    figures_for,
    product_of,
)


def expected_figure(figure: Figure) -> dict[str, Any]:
    """Return a figure with all data of its claims."""
    chosen = figure.chosen()
    latest = {claim.position for claim in figure.latest()}
    return {
        "claims": [
            {
                "position": claim.position,
                "latest": claim.position in latest,
                "preferred": claim.position == chosen.claim.position,
            }
            for claim in figure.claims
        ],
        "preferred": chosen.claim.position,
        "choice": {"rule": chosen.rule, "event": chosen.event},
        "sideBySide": figure.side_by_side(),
        "revisions": figure.revisions(),
    }


def figure_answer(answer: Any) -> Any:
    """Return the actual result in the same form."""
    found = simple(answer)
    for revision in found["revisions"]:
        revision["unavailable"] = revision.pop("changeUnavailableReason") is not None
    if spread := found["sideBySide"]["spread"]:
        spread["claims"].sort()
    return found


def distribution_of(
    figures: dict[str, Figure],
    day: date,
    commodity: str,
    year: int | None,
    stage: str | None,
    form: str | None,
) -> Distribution:
    """Return the figures for a query on production."""
    commodity, figures = figures_for(figures, commodity, "production")
    stage, form, single = chosen_product(figures, commodity, "production", stage, form)
    product = (commodity, "production", stage, form)
    if year is None:
        years = [
            figure.claims[0].series["period"]
            for figure in figures.values()
            if product_of(figure) == product
        ]
        year = max(years, default=None)
    return distribution(figures if single else {}, day, product, year)


def expected_production(
    figures: dict[str, Figure],
    day: date,
    commodity: str,
    year: int | None,
    stage: str | None,
    form: str | None,
) -> dict[str, Any]:
    """Return the world production by place."""
    of = distribution_of(figures, day, commodity, year, stage, form)
    shares, ranks = of.shares(), of.ranks()
    return {
        "stage": of.stage.upper() if of.stage else None,
        "form": of.form,
        "world": of.world.position if of.world else None,
        "order": sorted(shares.values(), reverse=True),
        "figures": {
            place: {
                "share": shares.get(place),
                "unavailable": place not in shares,
                "rank": ranks.get(place),
                "preferred": of.claim(place).position,
                "computedFrom": sorted(of.computed_from(place)) if place in shares else [],
                "mixedEditions": place in shares and of.mixed(of.computed_from(place)),
            }
            for place in of.places()
        },
        "withoutNumber": sorted(p for p in of.places() if of.claim(p).stated is None),
        "concentration": _sorted(of.concentration()),
        "residual": _sorted(of.residual()),
        **({"total": total} if (total := of.total()) else {}),
    }


def _sorted(found: dict[str, Any] | None) -> dict[str, Any] | None:
    return found and {**found, "computedFrom": sorted(found["computedFrom"])}


def production_answer(answer: Any) -> Any:
    """Return the actual result in the same form."""
    found = simple(answer)
    listed = found["figures"]
    found["order"] = [one["share"] for one in listed if one["share"] is not None]
    assert found["order"] == [one["share"] for one in listed][: len(found["order"])]
    for one in listed:
        one["unavailable"] = one["shareUnavailableReason"] is not None
        one["computedFrom"].sort()
    found["figures"] = {one["place"]: one for one in listed}
    found["withoutNumber"].sort()
    for part in ("residual", "concentration"):
        if found[part]:
            found[part]["computedFrom"].sort()
    if found["residual"]:
        found["residual"]["includedPlaces"].sort()
    if found["total"]:
        found["total"]["notSummed"].sort()
    for name in [
        name for name, part in found.items() if isinstance(part, dict) and "missing" in part
    ]:
        for part in ("members", "missing", "figures", "overlapping"):
            found[name][part].sort()
    return found


def expected_group(of: Distribution, kind: str, places: list[str]) -> dict[str, Any]:
    """Return the share of a group of places."""
    countries = set[str]().union(*(countries_of(place, of.day) for place in places))
    return of.group(countries) if kind == "places" else of.group(set(), countries)


def expected_supplies(figures: dict[str, Figure]) -> dict[str, Any]:
    """Return the products with figures, by commodity, stage and form."""
    found: dict[str, Any] = {}
    for product in {product_of(figure) for figure in figures.values()}:
        of = [figure for figure in figures.values() if product_of(figure) == product]
        claims = [claim for figure in of for claim in figure.claims]
        places = {figure.claims[0].series["place"] for figure in of}
        units = Counter((claim.unit, claim.basis) for claim in claims)
        found[_key(product[0], product[2], product[3])] = {
            "years": sorted({claim.series["period"] for claim in claims}),
            "places": len(places - {*NO_COUNTRIES, *GROUPS}),
            "hasWorldTotal": "WORLD" in places,
            "figures": len(of),
            "claims": len(claims),
            "publishers": sorted({claim.publisher for claim in claims}),
            "claimsInUnit": max(units.values()),
            "units": {_key(*unit): number for unit, number in units.items()},
        }
    return {"count": len(found), **found}


def supplies_answer(answer: Any) -> Any:
    """Return the actual result in the same form."""
    found = {}
    for one in answer:
        units = {_key(each["unit"], each["basis"]): each["claims"] for each in one["units"]}
        stage = one["stage"].lower() if one["stage"] else None
        found[_key(one["commodity"]["key"], stage, one["form"])] = {
            **one,
            "publishers": sorted(one["publishers"]),
            "claimsInUnit": units[_key(one["unit"], one["basis"])],
            "units": units,
        }
    return {"count": len(found), **found}


def _key(*parts: str | None) -> str:
    return " ".join(part or "-" for part in parts)


def expected_upcoming(known: list[CountingEvent], day: date, days: int) -> dict[str, str]:
    """Return the later days on which figures appear or change, from facts public or recorded by the day."""
    found = {}
    by_then = [event for event in known if event.day <= day or event.recorded <= day]
    for entity, versions in claims_by_day(by_then).items():
        for number, (since, _) in enumerate(versions):
            if day < since <= day + timedelta(days=days):
                found[f"{since} {entity}"] = "CHANGES" if number else "APPEARS"
    return found


def claims_by_day(known: list[CountingEvent]) -> dict[str, list[tuple[date, list[str]]]]:
    """Return the events behind each figure, with their effective days."""
    found: dict[str, list[tuple[date, list[str]]]] = {}
    for day in sorted({event.day for event in known}):
        for key, figure in figures_on(known, day).items():
            versions = found.setdefault(f"figure/{key}", [])
            if not versions or versions[-1][1] != behind(figure):
                versions.append((day, behind(figure)))
    return found


def behind(figure: Figure) -> list[str]:
    """Return the events behind the state of a figure."""
    return [claim.event.id for claim in figure.claims] + [e.id for e in figure.judgements]


def expected_changes(before: dict[str, Figure], after: dict[str, Figure]) -> dict[str, Any]:
    """Return the differences of figures between two moments."""
    found: dict[str, Any] = {}
    for key in before.keys() | after.keys():
        one, other = before.get(key), after.get(key)
        if one is None:
            found[f"figure/{key}"] = "APPEARED"
        elif other is None:
            found[f"figure/{key}"] = "DISAPPEARED"
        elif behind(one) != behind(other):
            found[f"figure/{key}"] = "CHANGED"
    return found | {"count": len(found)}
