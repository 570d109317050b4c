"""The units of an act's text: articles, paragraphs, points, entries of annexes.

Units partition a text: together they are the text, to the last space. Each has an id made of the numbers that
the text prints, such as `art-28/2/a` or `annex-i/part-a`, so that the same unit has the same id in other
versions. Lines before the first number are the unit `beginning`.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tracker.texts.words import MARKUP, fold_line

BEGINNING = "beginning"
DIGITS = {sign: number for number, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
MAX_HEADING_CHARACTERS = 80
"""A longer line that begins like a heading is a sentence, such as `Article 5 shall apply from …`."""


class Unit(NamedTuple):
    """A unit: its id, and its part of the text as printed."""

    id: str
    text: str


class UnitNumber(NamedTuple):
    """A printed number of a unit: the style of its numbering, and its segment of the id."""

    style: str
    segment: str


TITLED = r"(?=\s*$|\s*[:.(-]|\s+[A-Z])"
HEADINGS = (
    ("annex", re.compile(r"(?i:annex)(?:\s+([IVXL]+|\d+|[A-Z])[a-z]?)?(?=\s*$|\s*[:.(-])")),
    ("annex", re.compile(r"附件\s*([一二三四五六七八九十\d]*)$")),
    ("part", re.compile(rf"(?i:part)\s+([IVXL]+|[A-Z]|\d+){TITLED}")),
    ("title", re.compile(rf"(?i:title)\s+([IVXL]+|\d+){TITLED}")),
    ("chapter", re.compile(rf"(?i:chapter)\s+([IVXL]+|\d+)[a-z]?{TITLED}")),
    ("chapter", re.compile(r"第([〇零一二三四五六七八九十百\d]+)章")),
    ("section", re.compile(r"第([〇零一二三四五六七八九十百\d]+)节")),
    ("section", re.compile(r"(?i:section)\s+([IVXL]+|\d+)$")),
    ("art", re.compile(rf"(?i:article)\s+(\d+[a-z]*){TITLED}")),
)
"""Headings stand on a line of their own, and have nothing but a title behind the number."""
SENTENCES = (
    (
        "art",
        re.compile(
            r"第([〇零一二三四五六七八九十百千\d]+(?:条之[一二三四五六七八九十]+)?)条(?:之([一二三四五六七八九十]+))?"
        ),
    ),
    ("sec", re.compile(r"sec(?:tion|\.)\s*(\d+[a-z]*)\.", re.I)),
    ("sec", re.compile(r"§\s*(\d+(?:\.\d+)*)\b")),
    ("recital", re.compile(r"whereas\s*\((\d+)\)", re.I)),
    ("item", re.compile(r"([一二三四五六七八九十]+)、")),
    ("adoption", re.compile(r"ha(?:s|ve)\s+adopted\s+th(?:is|ese)\b", re.I)),
)
"""Numbers of units whose words begin on the same line."""
INNER = ("（一）", "number", "(1)", "(a)", "(i)", "(A)")
INNER_OF_SECTIONS = ("(a)", "(1)", "(i)", "(A)", "number")
"""Styles inside an article, an item or an annex, and inside a section of an American act, the outer first."""
INSIDE = {"annex": (), "part": ("annex",), "section": ("chapter", "title")}
"""Styles in which a unit of an outer style may stand. Articles are numbered through the whole act."""
BRACKETED = re.compile(
    r"[（(]\s*([a-z]{1,4}|[A-Z]{1,2}|\d{1,3}[a-z]?|[一二三四五六七八九十]+)\s*[)）]"
)
FIRST_POINT = re.compile(r"[.:]\s+\(a\)\s")
"""Point (a) of an American section stands on its first line, and is a part of that unit."""
NUMBERED = re.compile(r"(\d{1,3}[a-z]?)(?:\.(?!\d)|、|．)")
ROMAN = re.compile(r"(?=[ivxl])(?:x[cl]|l?x{0,3})(?:ix|iv|v?i{0,3})$")
NEXT_LETTERS = dict(zip("abcdefghijklmnopqrstuvwxy", "bcdefghijklmnopqrstuvwxyz", strict=True))


def split_into_units(text: str) -> list[Unit]:
    """Return the units of a text in its order. Ids are unique: a repeated one gets `~2`, `~3`."""
    seen = Counter[str]()
    units = list[Unit]()
    for path, part in _parts(text):
        id = "/".join(path) or BEGINNING
        seen[id] += 1
        units.append(Unit(id if seen[id] == 1 else f"{id}~{seen[id]}", part))
    return units


def _parts(text: str) -> Iterator[tuple[list[str], str]]:
    """Yield the segments of each id, and its part of the text."""
    id, path, part = list[str](), list[UnitNumber](), list[str]()
    for line in text.splitlines(keepends=True):
        if mark := _mark(line, path):
            if part:
                yield id, "".join(part)
            path, part = [*_above(mark, path), mark], []
            id = [each.segment for each in path]
            if mark.style == "sec" and FIRST_POINT.search(line):
                path.append(UnitNumber("(a)", "a"))
        part.append(line)
    if part:
        yield id, "".join(part)


def _mark(line: str, path: list[UnitNumber]) -> UnitNumber | None:
    """Return the number of the unit that begins with a line."""
    if line.lstrip().startswith("|"):  # cells of a table are the words of their unit
        return None
    words = MARKUP.sub("", fold_line(line)).strip()
    if len(words) <= MAX_HEADING_CHARACTERS:
        for style, heading in HEADINGS:
            if match := heading.match(words):
                return UnitNumber(style, _segment(style, match[1]))
    for style, sentence in SENTENCES:
        if match := sentence.match(words):
            return UnitNumber(style, _segment(style, *match.groups()))
    if match := BRACKETED.match(words):
        return _bracketed(match[1], path)
    if match := NUMBERED.match(words):
        return UnitNumber("number", match[1])
    return None


def _segment(style: str, *numbers: str | None) -> str:
    read = [_arabic(number).lower() for number in numbers if number]
    return "-".join([style, *read])


def _bracketed(printed: str, path: list[UnitNumber]) -> UnitNumber:
    """Return the mark of a point: `(i)` is a letter behind `(h)`, and otherwise a Roman number."""
    if printed[0].isdigit():
        outside = not any(mark.style in {"art", "sec", "number", "annex", "item"} for mark in path)
        return (
            UnitNumber("recital", f"recital-{printed}") if outside else UnitNumber("(1)", printed)
        )
    if printed[0] in DIGITS or printed[0] == "十":
        return UnitNumber("（一）", _arabic(printed))
    if printed.isupper():
        return UnitNumber("(A)", printed)
    last = next((mark.segment for mark in reversed(path) if mark.style == "(a)"), None)
    is_next = NEXT_LETTERS.get(last or "") == printed
    if ROMAN.match(printed) and not is_next:
        return UnitNumber("(i)", printed)
    return UnitNumber("(a)", printed)


def _above(mark: UnitNumber, path: list[UnitNumber]) -> list[UnitNumber]:
    """Return the marks above a new one: all that number larger units than it."""
    in_section = any(each.style == "sec" for each in path)
    inner = INNER_OF_SECTIONS if in_section else INNER
    if mark.style not in inner:
        return [each for each in path if each.style in INSIDE.get(mark.style, ())]
    return [each for each in path if each.style not in inner[inner.index(mark.style) :]]


def _arabic(printed: str) -> str:
    """Return a Chinese number in digits, and another one as it is."""
    if not any(sign in DIGITS or sign in "十百千" for sign in printed):
        return printed
    total = digit = 0
    for sign in printed:
        if factor := {"十": 10, "百": 100, "千": 1000}.get(sign):
            total, digit = total + (digit or 1) * factor, 0
        else:
            digit = DIGITS.get(sign, 0)
    return str(total + digit)
