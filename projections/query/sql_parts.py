"""Composition of statements from parts of `.sql` files, and the shared parts."""

import re
from pathlib import Path
from types import SimpleNamespace

from tracker.postgres.database import named_queries

PLACEHOLDER = re.compile(r"\{(\w+)\}")
LEADING_COMMENT = re.compile(r"\A(?:--[^\n]*\n)+")


def load_parts(path: Path) -> SimpleNamespace:
    """Return the parts of a `.sql` file by name, without the comments before them."""
    parts = vars(named_queries(path))
    return SimpleNamespace(**{name: LEADING_COMMENT.sub("", part) for name, part in parts.items()})


def fill(text: str, **parts: str) -> str:
    """Replace each `{name}` in a text by a part, indented like its line.

    Parts are not searched for placeholders. Raises KeyError for a placeholder without a part.
    """

    def replacement(placeholder: re.Match[str]) -> str:
        line = text[text.rfind("\n", 0, placeholder.start()) + 1 : placeholder.start()]
        indent = line[: len(line) - len(line.lstrip())]
        return parts[placeholder[1]].replace("\n", "\n" + indent)

    return PLACEHOLDER.sub(replacement, text)


SQL = load_parts(Path(__file__).with_name("versions.sql"))


def version_at(entity: str, day: str, position: str) -> str:
    """Compose the query for the version of an entity on a day, as recorded at a position."""
    return fill(SQL.version, entity=entity, day=day, position=position)


def versions_in(entity: str, first: str, last: str, position: str) -> str:
    """Compose the query for the versions of an entity on some days, as recorded at a position."""
    return fill(SQL.versions_in, entity=entity, first=first, last=last, position=position)


def versions_of(entities: str) -> str:
    """Compose the query for the versions, named `version`, of entities on a day ($2) at a position ($3)."""
    version = version_at("subject.entity", "$2::date", "$3::bigint")
    return fill(SQL.versions_of, entities=entities, version=version)


def versions_of_series(entities: str, last: str) -> str:
    """Compose the query of `versions_of` for all days from $2 to the argument `last`."""
    version = versions_in("subject.entity", "$2::date", f"{last}::date", "$3::bigint")
    return fill(SQL.versions_of, entities=entities, version=version)


def whole_state(version: str = "version") -> str:
    """Compose the expression for the whole state of a version, by its name in the query."""
    return _of_version(SQL.whole_state, version)


def whole_sources(version: str = "version") -> str:
    """Compose the expression for all sources of a version."""
    return _of_version(SQL.whole_sources, version)


def _of_version(part: str, version: str) -> str:
    return fill(part, version=version, elements=fill(SQL.elements, version=version))
