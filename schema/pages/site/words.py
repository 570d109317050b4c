"""Values of the API as HTML, and words for sources. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from tracker.domain.basics.vocabulary import EvidenceLevel
from tracker.domain.wording.phrases import NBSP, field_phrase, paths_phrase, short_date


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
    level, lacks = EvidenceLevel[source["level"]], paths_phrase(source["unsupported"])
    remarks = [] if level is EvidenceLevel.VERIFIED else [f"not verified, {level.phrase}"]
    remarks += [f"not in the cited text: {lacks}"] if lacks else []
    return f" ({'; '.join(remarks)})" if remarks else ""


def grounds(evidence: Iterable[Mapping[str, Any]]) -> str:
    """Return the levels of the fields of a clause in words, the best first."""
    fields: dict[EvidenceLevel, list[str]] = {level: [] for level in EvidenceLevel}
    for one in evidence:
        fields[EvidenceLevel[one["level"]]].append(field_phrase(one["field"]))
    held = {level.phrase: names for level, names in fields.items() if names}
    if len(held) == 1:
        return f"each field {next(iter(held))}"
    return "; ".join(f"{', '.join(names)}: {phrase}" for phrase, names in held.items())


def publisher_of(source: Mapping[str, Any]) -> str:
    """Return the name of the publisher, or of the repository of a copy; its code if it has no name."""
    host, _, path = (source.get("url") or "").removeprefix("https://").partition("/")
    if source.get("publisher") == "public-repositories" and host == "github.com":
        return f"{'/'.join(path.split('/')[:2])} ({host})"
    return str(source["publisherName"] or source["publisher"])
