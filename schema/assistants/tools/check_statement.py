"""The check of a sentence."""

from collections.abc import Mapping

from schema.assistants.arguments import ToolArguments
from schema.assistants.book import Book
from schema.assistants.parts import Part
from schema.assistants.tool import Data, Item, Node, Nodes, Tool


class Parameters(ToolArguments, frozen=True, kw_only=True):
    """The sentence."""

    text: str


PART = Part(__name__, "CheckedPartOfSentence", {})


def page(parameters: Parameters, data: Data) -> tuple[str, Mapping[str, object]]:
    """Return the page with the check."""
    return "/search", {"q": parameters.text}


def nodes(data: Data, parameters: Parameters) -> Nodes:
    """Return the parts."""
    parts = data["asOf"]["checkStatement"]
    return Nodes(parts, len(parts))


def item(node: Node, book: Book) -> Item:
    """Return a part."""
    return PART.of(node)


def line(item: Item) -> str:
    """Return a part in a line."""
    return f"“{item['text']}”: {item['verdict'].replace('_', ' ')}. {item['statement']}"


TOOL = Tool(__name__, arguments=Parameters, part=PART, page=page, nodes=nodes, item=item, line=line)
