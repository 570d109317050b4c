"""`tracker facts`: facts by day, one sentence each."""

from datetime import date
from typing import Annotated

import typer

from deploy.cli.changes import AsJson, Node, OfCommodity, out, print_line, print_nodes, to_text
from deploy.cli.common import DataDir, day_option
from deploy.output.terminal import in_one_line

FACTS = """query ($from: Day, $day: Day, $position: Position, $commodities: [String!],
                  $places: [String!], $entity: String, $kind: EntityKind, $after: String) {
  asOf(validAt: $day, position: $position) {
    list: facts(publicOn: {from: $from, to: $day}, commodities: $commodities, places: $places,
                entity: $entity, kind: $kind, first: 200, after: $after) {
      nodes { publicOn summary position eventId type entity
              source { publisher name publishedOn url primary verified level } }
      pageInfo { endCursor hasNextPage } } } }"""


def facts(
    first_day: Annotated[
        date | None, day_option("--from", help="The first day (default: no limit).")
    ] = None,
    last_day: Annotated[
        date | None, day_option("--to", help="The last day (default: today, UTC).")
    ] = None,
    position: Annotated[
        int | None, typer.Option(min=0, help="The position in the log (default: the last one).")
    ] = None,
    commodity: OfCommodity = None,
    place: Annotated[
        str | None, typer.Option(help="Only facts about this place or alliance, such as `CN`.")
    ] = None,
    entity: Annotated[
        str | None, typer.Option(help="Only facts about this entity, such as `alliance/quad`.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="Only facts about entities of this kind: alliance, announcement, export-control, "
            "figure or firm."
        ),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List facts in the order of their publication days, one sentence each.

    Retracted facts are omitted.
    """
    variables = {
        "from": to_text(first_day),
        "day": to_text(last_day),
        "position": to_text(position),
        "commodities": None if commodity is None else [commodity],
        "places": None if place is None else [place],
        "entity": entity,
        "kind": None if kind is None else kind.upper().replace("-", "_"),
    }
    print_nodes(FACTS, variables, print_line if as_json else describe_fact, data_dir)


def describe_fact(node: Node) -> None:
    """Print a fact as text."""
    out.print(f"{node['publicOn']}  {in_one_line(node['summary'])}", markup=False)
    source = node["source"]
    out.print(
        f"            {node['position']}: {in_one_line(source['name'])}, {source['publishedOn']}",
        style="dim",
        markup=False,
    )
