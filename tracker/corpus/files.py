"""The source files of the corpus: TOML files whose acts are facts of the corpus format.

    policy/export-control/KEY.toml      an instrument, with its acts in order
    policy/alliance/KEY.toml            an alliance
    policy/firm/KEY.toml                a firm, with its names
    policy/coverage/WHO.toml            lists of acts that were read, by issuer; each names its entity
    policy/obligation/WHO.toml          obligations of acts, by issuer; each names its entity
    policy/announcement/WHO/YEAR.toml   announcements, by actor and year
    figures/PUBLISHER.toml              figures that a person looked up

The path of a file determines the entity of its acts. An item with `printedUnder` has the codes of the lines
that the newest edition of the tariff prints under that provision. docs/data.md describes the format.
"""

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import Struct

from tracker.commands.commands import PlannedEvent
from tracker.corpus.tariffs import TARIFFS, printed_under
from tracker.domain.basics.codec import encode
from tracker.errors import InvalidInput, NotFound, TrackerError
from tracker.sources.readers.corpus_format import parse_line

POLICY, FIGURES = "policy", "figures"
ANNOUNCEMENT = "announcement"
NAMED_IN_FILE = ("coverage", "obligation")
"""The kinds whose files have several entities, which their acts name."""
ACTS = "act"
PRINTED_UNDER = "printedUnder"
ABOUT_THE_ACT = ("id", "type", "entity")
"""Keys of an act that are not fields of its fact."""


class Act(Struct, frozen=True):
    """A fact in a file: `number` is its index among the acts of the file."""

    file: str
    number: int
    planned: PlannedEvent

    @property
    def id(self) -> str:
        """The id of its event."""
        return self.planned.event_id


class Problem(Struct, frozen=True):
    """A problem in a file: the act and the field, if known, and the expected content."""

    file: str
    message: str
    act: str = ""
    field: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.act, self.field, self.message) if part)


def list_files(directory: Path) -> list[Path]:
    """Return the files of a corpus, in the order of their names. Raises NotFound if there are none."""
    paths = sorted(
        path for part in (POLICY, FIGURES) for path in (directory / part).rglob("*.toml")
    )
    if not paths:
        raise NotFound(
            f"There are no files in {directory / POLICY}: expected the directory tracker/corpus"
            " of a checkout",
            path=("directory",),
        )
    return paths


def read_acts(path: Path, directory: Path) -> Iterator[Act | Problem]:
    """Return the acts of a file, and the problems of invalid ones."""
    file = path.relative_to(directory).as_posix()
    try:
        content = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        acts = _acts_in(content)
    except (ValueError, TrackerError) as error:  # TOML, UTF-8 or shape
        yield Problem(file, str(error))
        return
    for number, written in enumerate(acts, 1):
        yield _act(file, number, written, directory)


def _acts_in(content: dict[str, Any]) -> list[dict[str, Any]]:
    acts = content.get(ACTS)
    if list(content) != [ACTS] or not isinstance(acts, list):
        raise InvalidInput("expected acts and nothing beside them, each under [[act]]")
    return acts


def _act(file: str, number: int, written: dict[str, Any], directory: Path) -> Act | Problem:
    id = str(written.get("id", f"act {number}"))
    try:
        complete = with_printed_codes(join_lines(written), directory)
        return Act(file, number, parse_line(encode(line_of(file, complete))))
    except TrackerError as error:
        field = ".".join(map(str, error.path)).removeprefix("data.")
        return Problem(file, str(error), id, field)


def with_printed_codes(act: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Return an act whose items with `printedUnder` have the codes of the lines under that provision.

    Codes that other items of the act name are left out, and those beyond the item's own `hs`, if it has some.
    """
    clauses = [one for one in act.get("clauses", ()) if isinstance(one, dict)]
    items = [one for clause in clauses for one in clause.get("items", ())]
    derived = [one for one in items if PRINTED_UNDER in one]
    named = tuple(code for one in items if one not in derived for code in one.get("hs", ()))
    for one in derived:
        within, provision = tuple(one.get("hs", ("",))), one.pop(PRINTED_UNDER)
        one["hs"] = [
            code
            for code in printed_under(directory / TARIFFS).get(provision, ())
            if code.startswith(within) and not (named and code.startswith(named))
        ]
        if not one["hs"]:
            raise InvalidInput(
                f"expected a provision that further lines of the tariff print, not {provision}",
                path=("clauses",),
            )
    return act


def line_of(file: str, act: dict[str, Any]) -> dict[str, Any]:
    """Return an act as a line of the corpus format."""
    line = {key: act[key] for key in ABOUT_THE_ACT if key in act}
    line["data"] = {key: value for key, value in act.items() if key not in ABOUT_THE_ACT}
    entity = entity_of(PurePosixPath(file), str(act.get("id", "")))
    if entity and line.setdefault("entity", entity) != entity and ANNOUNCEMENT not in entity:
        raise InvalidInput(f"expected no entity: the file is about {entity}", path=("entity",))
    return line


def entity_of(file: PurePosixPath, id: str) -> str | None:
    """Return the entity of an act that does not name it: from the name of its file, or the announcement of
    its own id.

    Returns None for figures, coverage and obligations, which name themselves.
    """
    match file.parts:
        case (str(top), _) if top == FIGURES:
            return None
        case (str(top), str(kind), _) if top == POLICY and kind in NAMED_IN_FILE:
            return None
        case (str(top), str(kind), _, _) if (top, kind) == (POLICY, ANNOUNCEMENT):
            return f"{kind}/{id}"
        case (str(top), str(kind), name) if top == POLICY:
            return f"{kind}/{name.removesuffix('.toml')}"
    raise InvalidInput(
        "expected a file such as policy/export-control/KEY.toml or policy/announcement/us/2025.toml"
    )


def join_lines(value: Any) -> Any:
    """Return a value with the lines of its texts joined: an empty line begins a paragraph."""
    match value:
        case str() if "\n" in value:
            paragraphs = value.split("\n\n")
            return "\n".join(" ".join(text.split()) for text in paragraphs if text.strip())
        case dict():
            return {key: join_lines(part) for key, part in value.items()}
        case list():
            return [join_lines(part) for part in value]
    return value
