"""Shares of the world's output under controls, by destination. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from schema.pages.charts.exposure_bar import ExposureBar
from schema.pages.commodities.exposure_bar import exposure_bar, unconfirmed_measures


class ExposureRow(Struct, frozen=True):
    """A destination, with the shares of output that controls for it cover."""

    destination: str
    code: str | None
    """Code of the destination; None for any destination."""
    path: str
    """Path of the shares in the response."""
    wholly: str | None
    """Fully covered share of 1; None if it is not known."""
    partly: str | None
    assumed: str | None
    """Part of the fully covered share that is in force by its own terms, not confirmed."""
    contradicted: str | None
    """Part of the fully covered share that a recorded statement contradicts."""
    bar: ExposureBar
    measures: Sequence[str]
    """Measures that are not confirmed for a part of the output, in words."""
    issuers: Sequence[str]


def covering_places(supply: Mapping[str, Any]) -> list[str]:
    """Return the names of the places with a clause in force that covers at least a part of a supply."""
    return [
        place["place"]["name"]
        for place in supply["places"]
        if any(clause["reach"] != "OTHER" for clause in place["inForce"])
    ]


def exposure_rows(state: Mapping[str, Any]) -> list[ExposureRow]:
    """Return a row for any destination, and one for each destination of the query.

    The list is empty if no share above zero is known: lists of some producers were not read.
    """
    shown = state["production"]
    rows = [_row("Any destination", None, "asOf.exposure", state["exposure"], shown)]
    rows += [
        _row(
            one["destination"]["name"],
            one["destination"]["code"],
            f"asOf.exposures.{index}.supplies",
            one["supplies"],
            shown,
        )
        for index, one in enumerate(state["exposures"])
    ]
    known = [row for row in rows if row is not None]
    return (
        known
        if any(float(share or 0) > 0 for row in known for share in (row.wholly, row.partly))
        else []
    )


def _row(
    name: str,
    code: str | None,
    path: str,
    supplies: Sequence[Mapping[str, Any]],
    shown: Mapping[str, Any],
) -> ExposureRow | None:
    product = (shown["commodity"]["key"], shown["stage"], shown["form"])
    for index, one in enumerate(supplies):
        if (one["commodity"]["key"], one["stage"], one["form"]) == product:
            wholly, partly = one["controlledShare"], one["partlyControlledShare"]
            return ExposureRow(
                name,
                code,
                f"{path}.{index}",
                wholly,
                partly,
                one["assumedShare"],
                one["contradictedShare"],
                exposure_bar(one),
                unconfirmed_measures(one),
                covering_places(one),
            )
    return None
