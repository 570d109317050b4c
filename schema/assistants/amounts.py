"""Numbers of publishers in the responses of tools."""

from schema.assistants.tool import Node
from schema.pages.site.amounts import measured


def amount_of(node: Node) -> str:
    """Return a number with its unit, in words."""
    return measured(node).replace("\N{NO-BREAK SPACE}", " ")
