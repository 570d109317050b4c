"""Every stylesheet rule matches some page."""

import re
from pathlib import Path

import schema.pages

PAGES = Path(schema.pages.__file__).parent
STATIC = PAGES / "site" / "static"
STYLESHEETS = sorted(STATIC.glob("*.css"))

CLASS = re.compile(r"\.([a-zA-Z][\w-]*)")
DECLARATIONS = re.compile(r"\{[^{}]*\}|/\*.*?\*/", re.DOTALL)
CLASS_ATTRIBUTE = re.compile(r'class="((?:[^"{]|\{\{.*?\}\}|\{%.*?%\})*)"')
"""Class attributes with template expressions, whose quotation marks do not end them."""
WORD = re.compile(r"[a-zA-Z][\w-]*")

MADE_CLASSES = {
    *("ban", "licence", "quota", "tariff", "other"),  # hues, of clauses
    *(f"q{step}" for step in range(7)),  # how a place is coloured, or hatched
    "hatch",
    *("full", "terms", "contradicted", "part"),  # how output under controls is drawn
    *("none", "unnamed"),  # how imports without controls are drawn
    *(f"sw-q{step}" for step in range(7)),
    *(f"depth-{depth}" for depth in range(5)),  # of a commodity in its tree
    *("marks", "wide", "narrow"),  # of lines over years
    "cards",  # tables whose rows are cards on phones
}
"""Classes that Python makes, or a template of a number."""


def text_of(suffix: str) -> str:
    """Return all page files with a suffix."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(PAGES.rglob(f"*{suffix}")))


def test_every_class_in_a_stylesheet_can_be_on_a_page() -> None:
    templates, views = text_of(".html"), text_of(".py")
    on_pages = {
        word for given in CLASS_ATTRIBUTE.findall(templates) for word in WORD.findall(given)
    }
    in_strings = {
        word
        for _, text in re.findall(r"([\"'`])((?:(?!\1).)*)\1", text_of(".js"))
        for word in WORD.findall(text)
    }
    in_markup = {word for given in CLASS_ATTRIBUTE.findall(views) for word in WORD.findall(given)}
    known = on_pages | in_strings | in_markup | MADE_CLASSES
    unknown = [
        f"{path.name}: .{name}"
        for path in STYLESHEETS
        for name in sorted(
            {*CLASS.findall(DECLARATIONS.sub(" ", path.read_text(encoding="utf-8")))} - known
        )
    ]
    assert not unknown


def test_no_text_of_a_drawing_or_a_page_is_smaller_than_12_pixels() -> None:
    drawn = re.findall(r'<text[^>]*font-size="([\d.]+)"', text_of(".html") + text_of(".svg"))
    drawn += re.findall(r'<(?:svg|g) [^>]*font-size="([\d.]+)"', text_of(".html"))
    assert [size for size in drawn if float(size) < 12] == ["10.5"], "the question mark of a mark"
    sizes = re.findall(
        r"[\s:](0?\.\d+|\d+(?:\.\d+)?)(px|rem)[^;{}]*;",
        "".join(re.findall(r"(?:font-size|font|--t-\w+):[^;]*;", text_of(".css"))),
    )
    assert [one for one in sizes if float(one[0]) * (16 if one[1] == "rem" else 1) < 12] == []


def test_every_variable_of_a_stylesheet_is_used() -> None:
    styles = text_of(".css")
    used = {
        *re.findall(
            r"var\((--[\w-]+)", styles + text_of(".html") + text_of(".py") + text_of(".js")
        ),
        *(f"--c{number}" for number in range(1, 7)),  # colours of series (line_chart.py: SERIES)
    }
    assert {*re.findall(r"(--[\w-]+)\s*:", styles)} == used
