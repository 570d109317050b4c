"""What goes into a page of the SVG that Vega makes: drawn elements only, addresses of ours only."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from schema.pages.charts.line_chart import LINK_PREFIX, LineChart, printable

SVG_NAMESPACE = "http://www.w3.org/2000/svg"
KEPT_ATTRIBUTES = {
    "svg": {"width", "height", "viewBox"},
    "g": {"transform", "fill", "stroke-miterlimit", "aria-hidden"},
    "rect": {"width", "height", "fill"},
    "line": {"transform", "x2", "y2", "stroke", "stroke-width", "opacity"},
    "path": {"transform", "d", "fill", "stroke", "stroke-width", "stroke-linejoin", "opacity"},
    "text": {
        "transform",
        "text-anchor",
        "font-family",
        "font-size",
        "font-weight",
        "fill",
        "opacity",
    },
    "a": set[str](),
}
"""The elements that charts are drawn with, and what is kept of each; all else is left out."""


def page_svg(drawn: str, chart: LineChart, size: str) -> str:
    """A drawing of a chart as a part of a page: named and described, marks as links; `size` is a class."""
    root = _copy(ElementTree.fromstring(drawn), [mark.address for mark in chart.marks])
    root.set("class", f"marks {size}")
    return _named(root, chart)


def image_svg(drawn: str, chart: LineChart) -> str:
    """A drawing of a chart as a file of its own: without links, which would lead nowhere."""
    root = _copy(ElementTree.fromstring(drawn), [])
    root.set("xmlns", SVG_NAMESPACE)
    return _named(root, chart)


def _named(root: ElementTree.Element, chart: LineChart) -> str:
    root.set("role", "group")
    for place, (tag, text) in enumerate((("title", chart.title), ("desc", chart.description))):
        element = ElementTree.Element(tag)
        element.text = printable(text)
        root.insert(place, element)
    return ElementTree.tostring(root, encoding="unicode")


def _copy(element: ElementTree.Element, addresses: Sequence[str]) -> ElementTree.Element:
    """The element with what is kept of it; `addresses` are those that marks lead to, by number."""
    tag = element.tag.rpartition("}")[2]
    kept = {name: value for name, value in element.attrib.items() if name in KEPT_ATTRIBUTES[tag]}
    copy = ElementTree.Element(tag, kept)
    if tag == "text":
        copy.text = element.text
    if tag == "a" and addresses:
        copy.set("href", addresses[_mark_number(element)])
        name = ElementTree.SubElement(copy, "title")
        name.text = "".join(child.get("aria-label", "") for child in element)
    for child in element:
        if child.tag.rpartition("}")[2] in KEPT_ATTRIBUTES and _is_drawn(child):
            copy.append(_copy(child, addresses))
    return copy


def _mark_number(link: ElementTree.Element) -> int:
    """The number of the mark that a link of Vega's is around."""
    address = next(value for name, value in link.attrib.items() if name.endswith("href"))
    return int(address.removeprefix(LINK_PREFIX))


def _is_drawn(element: ElementTree.Element) -> bool:
    """Whether anything of an element is to be seen: Vega has empty paths around each group."""
    return element.get("d") not in ("", "M0,0h0v0h0Z") and element.get("display") != "none"
