"""Flow diagrams: sizes, labels and fills of flows, and escaping of foreign texts."""

import re
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.pages.charts.sankey import (
    FLOW_WORDS,
    IMAGE,
    LABEL_PX,
    MIN_FLOW_PX,
    NARROW,
    WIDE,
    Flow,
    FlowChart,
    FlowLayout,
    draw_flows,
)
from schema.pages.site.templates import environment

SVG = "{http://www.w3.org/2000/svg}"
PHONE_PX = 328
"""Width of the content on a phone of 360 px."""
LAYOUTS = st.sampled_from([WIDE, NARROW, IMAGE])
FLOWS = st.lists(
    st.builds(
        Flow,
        st.text(max_size=60),
        st.decimals(0, 100, places=2),
        st.just("28 %"),
        st.sampled_from([*FLOW_WORDS]),
    ),
    min_size=1,
    max_size=12,
).filter(lambda flows: any(one.amount > 0 for one in flows))


def chart(*flows: tuple[str, str, str]) -> FlowChart:
    """Return a diagram of imports of the United States from names, amounts and kinds."""
    return FlowChart(
        "Gallium: origins",
        "USGS, MCS 2026",
        "United States",
        [Flow(name, Decimal(amount), f"{amount} %", kind) for name, amount, kind in flows],
    )


GALLIUM = chart(
    ("Canada", "28", "none"),
    ("Japan", "22", "partly"),
    ("China", "18", "certain"),
    ("Germany", "16", "assumed"),
    ("Other countries", "16", "unnamed"),
)


def image_of(drawn: FlowChart, layout: FlowLayout = IMAGE) -> ElementTree.Element:
    """Return a diagram as SVG."""
    template = environment().get_template("charts/sankey_image.html")
    return ElementTree.fromstring(template.render(drawing=draw_flows(drawn, layout)))


@given(FLOWS, LAYOUTS)
def test_flows_fill_the_destination_and_stay_in_their_order(
    flows: list[Flow], layout: FlowLayout
) -> None:
    drawing = draw_flows(FlowChart("a", "b", "c", flows), layout)
    assert [one.flow for one in drawing.flows] == flows
    assert drawing.end_height == pytest.approx(sum(one.height for one in drawing.flows), abs=0.2)
    assert drawing.end_y >= drawing.top - 0.1
    last = drawing.flows[-1]
    assert max(last.y + last.height, drawing.end_y + drawing.end_height) <= drawing.height


@given(FLOWS, LAYOUTS)
def test_labels_do_not_overlap_and_stay_inside(flows: list[Flow], layout: FlowLayout) -> None:
    drawing = draw_flows(FlowChart("a", "b", "c", flows), layout)
    for one, following in pairwise(drawing.flows):
        assert following.middle - one.middle >= LABEL_PX
    assert drawing.flows[-1].middle + LABEL_PX / 2 <= drawing.height


def test_heights_are_proportional_and_a_part_without_a_least_amount_is_a_thin_line() -> None:
    drawing = draw_flows(chart(("A", "75", "none"), ("B", "25", "none"), ("C", "0", "none")), WIDE)
    assert [one.height for one in drawing.flows] == [180.0, 60.0, MIN_FLOW_PX]


def test_a_diagram_without_an_amount_is_refused() -> None:
    for amount in ("0", "-1"):
        with pytest.raises(ValueError, match="expected amounts"):
            draw_flows(chart(("A", amount, "none")), WIDE)


def test_the_narrow_drawing_fits_a_phone() -> None:
    assert draw_flows(GALLIUM, NARROW).width <= PHONE_PX


def test_each_kind_has_its_own_fill_and_its_word() -> None:
    image = image_of(GALLIUM)
    fills = [
        (path.get("fill"), path.get("fill-opacity"))
        for path in image.iter(f"{SVG}path")
        if (path.get("d") or "").startswith("M") and "C" in (path.get("d") or "")
    ]
    assert len({*fills}) == len(FLOW_WORDS)
    texts = [str(text.text) for text in image.iter(f"{SVG}text")]
    for word in FLOW_WORDS.values():
        assert word in texts, "in the legend"
    assert "18 %, covered" in texts
    assert "16 %, covered, not confirmed" in texts


def test_the_description_is_the_diagram_in_words() -> None:
    assert GALLIUM.description.startswith("Canada: 28 %, no control recorded; Japan: 22 %, partly")
    assert image_of(GALLIUM).findtext(f"{SVG}desc") == GALLIUM.description


def test_foreign_texts_stay_texts() -> None:
    hostile = "</svg><script>alert(1)</script>\x0b & \"'"
    image = image_of(chart((hostile, "1", "none")))
    assert not list(image.iter(f"{SVG}script"))
    assert "alert(1)" in str(image.findtext(f"{SVG}desc"))


def test_an_image_has_colours_without_a_style_sheet() -> None:
    template = environment().get_template("charts/sankey_image.html")
    assert "var(--" not in template.render(drawing=draw_flows(GALLIUM, IMAGE))
    page = environment().from_string(
        '{% from "charts/sankey.html" import sankey %}{{ sankey(drawing, "wide") }}'
    )
    assert not re.search(r'"#[0-9a-f]{6}"', page.render(drawing=draw_flows(GALLIUM, WIDE)))
