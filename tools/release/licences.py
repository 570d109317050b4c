"""Licences of parts: allowed ones, and violations."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from license_expression import ExpressionError, get_spdx_licensing  # type: ignore[import-untyped]

from tools.release.notices import RULES, Part

SPDX = get_spdx_licensing()


def troubles(parts: Iterable[Part]) -> Iterator[str]:
    """Yield sentences on parts that must not be distributed as they are. Pure."""
    for part in parts:
        if not part.licence:
            yield f"{part.name} {part.version} does not say its licence: read it, and add it to licences.toml"
        elif not is_allowed(part.licence, RULES["allowed"]):
            yield f"{part.name} {part.version} is under {part.licence}, which licences.toml does not allow"
        elif not part.texts:
            yield f"{part.name} {part.version} has no text of its licence"


def is_allowed(expression: str, allowed: Collection[str]) -> bool:
    """Whether allowed licences satisfy an SPDX expression. Pure."""
    try:
        return _holds(SPDX.parse(expression, validate=True), allowed)
    except ExpressionError:
        return False


def _holds(node: Any, allowed: Collection[str]) -> bool:
    """Evaluate an expression: `AND` needs all, `OR` one; an exception (`WITH`) is part of the name."""
    if isinstance(node, SPDX.AND):
        return all(_holds(each, allowed) for each in node.args)
    if isinstance(node, SPDX.OR):
        return any(_holds(each, allowed) for each in node.args)
    return str(node) in allowed
