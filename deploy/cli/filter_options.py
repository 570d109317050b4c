"""Options that select events and a start position."""

from collections.abc import Iterable
from typing import Annotated

import typer

from schema.inputs.endpoint_filter import parse_endpoint_filter
from tracker.delivery.endpoint import EndpointFilter

OfTypes = Annotated[
    list[str] | None,
    typer.Option(
        "--types",
        help="Only events of this type, such as `ExportControl.Suspended`; for several, use commas or "
        "repeat the option, as with the next two.",
        show_default=False,
    ),
]
OfCommodities = Annotated[
    list[str] | None,
    typer.Option(
        "--commodity",
        help="Only events about this commodity or one below it, such as `gallium`.",
        show_default=False,
    ),
]
OfPlaces = Annotated[
    list[str] | None,
    typer.Option(
        "--place",
        help="Only events about this place or alliance, such as `CN`.",
        show_default=False,
    ),
]
OfEntity = Annotated[
    str | None, typer.Option("--about", help="Only events of this entity, such as `alliance/quad`.")
]

AfterPosition = Annotated[
    int | None,
    typer.Option(
        "--after",
        min=0,
        help="The position after which to start, 0 for all events (default: the last one).",
    ),
]


def requested_filter(
    types: list[str] | None,
    commodities: list[str] | None,
    places: list[str] | None,
    entity: str | None,
) -> EndpointFilter:
    """Return the filter of events for these options. Raises InvalidInput and TooLarge."""
    return parse_endpoint_filter(
        split_words(types),
        split_words(commodities),
        split_words(places),
        entity,
        fields=("commodity", "place"),
    )


def split_words(texts: Iterable[str] | None) -> list[str] | None:
    """Return the words of a repeatable option with commas; None without any."""
    words = [word.strip() for text in texts or () for word in text.split(",")]
    return words or None
