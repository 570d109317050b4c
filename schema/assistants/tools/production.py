"""The world's output of a commodity by place and year."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from msgspec import Meta

from schema.assistants.amounts import amount_of
from schema.assistants.arguments import ToolArguments, YearNumber
from schema.assistants.book import Book
from schema.assistants.parts import Part
from schema.assistants.tool import Data, Item, Node, Nodes, Tool, numbers
from schema.inputs.arguments import parse_word
from tracker import clock
from tracker.domain.basics.vocabulary import Stage
from tracker.domain.catalogue.places import Place
from tracker.domain.wording.phrases import listed, percent, word_phrase
from tracker.errors import InvalidInput

YEARS = 6
"""Default number of years up to that of the day."""
MAX_YEARS = 60


class Parameters(ToolArguments, frozen=True, kw_only=True):
    """The selected output."""

    commodity: str
    place: Annotated[str, Meta(description="only this one beside the world")] | None = None
    first_year: YearNumber | None = None
    last_year: YearNumber | None = None
    stage: Stage | None = None
    form: str | None = None
    places: Annotated[int, Meta(ge=1, le=50, description="of a year, the largest first")] = 10


NUMBER = Part(__name__, "NumberOfTool", {"amount": str})
PLACE_NUMBER = Part(__name__, "PlaceNumberOfTool", {"amount": str})
YEAR = Part(
    __name__,
    "YearOfTool",
    {"world": NUMBER, "places": [PLACE_NUMBER], "otherPlaces": int, "sources": [int]},
    "places sources",
)
PRODUCT = Part(__name__, "ProductOfTool", {"firstYear": int, "lastYear": int})


def variables(parameters: Parameters) -> dict[str, Any]:
    """Return the variables of the document. Raises InvalidInput."""
    if parameters.place is not None:  # selected here, from all places of the API
        parse_word(Place, parameters.place.upper(), "place")
    last = parameters.last_year or newest_year(parameters)
    first = parameters.first_year or last - YEARS + 1
    if not 0 <= last - first < MAX_YEARS:
        raise InvalidInput(
            f"expected a year of at most {MAX_YEARS} before `lastYear`, {last}", path=("firstYear",)
        )
    return {"years": {"from": first, "to": last}}


def newest_year(parameters: Parameters) -> int:
    """Return the year of the day; the API refuses an impossible day."""
    try:
        return date.fromisoformat(parameters.day).year if parameters.day else clock.today().year
    except ValueError:
        return clock.today().year


def page(parameters: Parameters, data: Data) -> tuple[str, Mapping[str, object]]:
    """Return the commodity in the last year of the response."""
    years = [one["year"] for one in data["asOf"]["productions"]]
    return f"/commodities/{parameters.commodity}", {
        "stage": parameters.stage and parameters.stage.name,
        "form": parameters.form,
        "year": max(years, default=None),
    }


def nodes(data: Data, parameters: Parameters) -> Nodes:
    """Return the years, the newest first, with the requested number of places."""
    productions = [
        {**year, "figures": chosen(year, parameters), "others": left_out(year, parameters)}
        for year in reversed(data["asOf"]["productions"])
    ]
    return Nodes(
        productions, len(productions), narrower="give `firstYear` and `lastYear`, or `place`"
    )


def chosen(year: Node, parameters: Parameters) -> list[Node]:
    """Return the listed figures of a year."""
    if parameters.place is None:
        return list(year["figures"][: parameters.places])
    figures = [*year["figures"], *year["notComparable"]]
    return [one for one in figures if one["place"]["code"] == parameters.place.upper()]


def left_out(year: Node, parameters: Parameters) -> int:
    """Return the number of places of a year that are not listed."""
    return len(year["figures"]) - len(chosen(year, parameters)) if parameters.place is None else 0


def year(node: Node, book: Book) -> Item:
    """Return a year with its required statements."""
    figures = [one for one in node["figures"] if "preferred" in one]
    of, filed = node["commodity"]["key"], node["figuresOf"]
    if filed and filed["key"] != of:
        book.add_sentence(f"The figures of {of} are filed under {filed['key']}.")
    if any(one["estimated"] for one in node["figures"]):
        book.add_sentence("Numbers marked estimated are estimates of their publisher.")
    if any(one["mixedEditions"] for one in figures):
        book.add_sentence("Some shares are of several editions or publishers.")
    if node["world"] is None:
        book.add_sentence(
            f"{node['year']}: no total for the world is known, so there are no shares."
        )
    missing = [one["code"] for one in node["withoutNumber"]]
    if missing:
        book.add_sentence(
            f"{node['year']}: withheld or not available, not zero, for {listed(missing, most=9)}."
        )
    book.published_by(*(one["publisher"] for one in node["figures"]))
    cited = {one["preferred"]["source"]["name"]: one["preferred"] for one in figures}
    world = node["world"]
    return YEAR.of(
        node,
        world=world and NUMBER.of(world, amount=amount_of(world)),
        places=[PLACE_NUMBER.of(one, amount=amount_of(one)) for one in node["figures"]],
        otherPlaces=node["others"],
        sources=book.cite(world, *cited.values()),
    )


def line(item: Item) -> str:
    """Return a year in a line."""
    world = f"world {amount_line(item['world'])}" if "world" in item else "world: no total"
    places = "; ".join(map(place_line, item["places"]))
    others = f"; {item['otherPlaces']} more places" if "otherPlaces" in item else ""
    product = " ".join(word_phrase(item[name]) for name in ("form", "stage") if name in item)
    return f"{item['year']} {product}: {world}; {places}{others}{numbers(item['sources'])}"


def place_line(item: Item) -> str:
    """Return the number of a place in words, with its share."""
    share = f" ({percent(item['share'])})" if "share" in item else ""
    return f"{item['place']} {amount_line(item)}{share}"


def amount_line(item: Item) -> str:
    """Return a number in words, with a mark for estimates."""
    return f"{item['amount']}{' (estimated)' if 'estimated' in item else ''}, {item['edition']}"


def more(data: Data, parameters: Parameters, book: Book) -> Mapping[str, Any]:
    """Return the products of the commodity with figures."""
    products = [
        PRODUCT.of(
            one, firstYear=min(one["years"], default=None), lastYear=max(one["years"], default=None)
        )
        for one in data["asOf"]["newest"]["available"]
    ]
    if not data["asOf"]["productions"]:
        book.add_sentence("No figures of this are recorded for these years.")
    if not products and (wider := wider_commodities(parameters.commodity, data["commodities"])):
        book.add_sentence(
            f"No figures of {parameters.commodity} are recorded: query {listed(wider)} too."
        )
    return {"available": products}


def wider_commodities(key: str, known: list[Node]) -> list[str]:
    """Return the commodities that contain a commodity, under which publishers may count it."""
    matches = [one for one in known if one["key"] == key]
    return [each for one in matches for each in (one["parentKey"], *one["groupKeys"]) if each]


TOOL = Tool(
    __name__,
    arguments=Parameters,
    part=YEAR,
    variables=variables,
    page=page,
    nodes=nodes,
    item=year,
    line=line,
    more=more,
    further={"available": [PRODUCT]},
    renamed={"years": "firstYear"},
)
