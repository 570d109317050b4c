"""All tools."""

from collections.abc import Mapping
from typing import Any

from schema.assistants.tool import Tool
from schema.assistants.tools import (
    changes,
    check_shipment,
    check_statement,
    claims,
    controls,
    dependence,
    exposure,
    history,
    obligations,
    production,
    search,
    upcoming,
)

ALL: tuple[Tool[Any], ...] = (
    controls.TOOL,
    check_shipment.TOOL,
    exposure.TOOL,
    dependence.TOOL,
    production.TOOL,
    claims.TOOL,
    changes.TOOL,
    upcoming.TOOL,
    obligations.TOOL,
    history.TOOL,
    search.TOOL,
    check_statement.TOOL,
)
TOOLS: Mapping[str, Tool[Any]] = {tool.name: tool for tool in ALL}
