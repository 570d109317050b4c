"""Values of the API as HTML, and words for sources. Pure."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from tracker.domain.wording.phrases import NBSP, short_date


def day(value: str | None, missing: str = "") -> Markup | str:
    """Return a date as a `<time>`; `missing` without one."""
    if not value:
        return missing
    return Markup('<time datetime="{}">{}</time>').format(value[:10], short_date(value))


def moment(value: str | None, missing: str = "") -> Markup | str:
    """Return a time to the minute, in UTC, as a `<time>`."""
    if not value:
        return missing
    written = f"{short_date(value)}, {value[11:16]}{NBSP}UTC"
    return Markup('<time datetime="{}">{}</time>').format(value, written)


def doubt(source: Mapping[str, Any]) -> str:
    """Return a remark on a source that was not verified, or that lacks some fields of its fact."""
    if not source["verified"]:
        return " (not verified)"
    lacks = ", ".join(source["unsupported"])
    return f" (not in the cited text: {lacks})" if lacks else ""


def publisher_of(source: Mapping[str, Any]) -> str:
    """Return the name of the publisher; its code if it has no name."""
    return str(source["publisherName"] or source["publisher"])
