"""Flow diagrams from origins to one destination: a pure function whose result templates render as SVG.

The height of a flow is its amount. Its fill shows its kind, which a word beside its name repeats. Flows keep
their order, which is that of the publisher.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct, field

from projections.analysis.import_exposure import OriginStatus
from schema.pages.charts.line_chart import CHARACTER_PIXELS, shortened
from schema.pages.charts.status_marks import IMAGE_COLOURS, ON_PAGE, Paint

FLOW_WORDS: Mapping[str, str] = {
    **{status.value: status.phrase for status in OriginStatus},
    "unnamed": "not named",
}
"""Words for the kinds of flows, in the order of the legend."""
SHORT_WORDS: Mapping[str, str] = {
    **FLOW_WORDS,
    "assumed": "not confirmed",
    "partly": "partly",
    "none": "no control",
}
"""Words for the labels of narrow drawings."""
MIN_FLOW_PX = 1.5
"""Minimum height of a flow, so that small parts are visible."""
LABEL_PX = 34
"""Height of a label, which has two lines."""
GAP_PX = 6
NODE_PX = 8
"""Width of the bars at both ends."""
OFFSET_PX = 8
TOP_PX = 24
"""Height above the diagram, for the name of the destination."""
MARGIN_PX, IMAGE_MARGIN_PX = 4, 16
TITLE_PX = 64
"""Height of title and source of an image."""
LEGEND_PX = 34
LEGEND_MARK_PX, LEGEND_CHARACTER_PX = 46, 7
"""Widths of a mark of the legend with its margins, and of a character."""


class Flow(Struct, frozen=True):
    """A part of the whole, from one origin."""

    name: str
    amount: Decimal
    words: str
    """The amount in words: `18 %`, `less than 1 %`."""
    kind: str
    """A key of `FLOW_WORDS`."""
    address: str | None = None
    """Path of the page of the origin."""


class FlowChart(Struct, frozen=True):
    """The content of a diagram."""

    title: str
    source: str
    """Publisher, edition and moment, for images outside of the page."""
    destination: str
    flows: Sequence[Flow]

    @property
    def description(self) -> str:
        """Return the text alternative: each flow with its amount and kind."""
        return "; ".join(f"{one.name}: {one.words}, {FLOW_WORDS[one.kind]}" for one in self.flows)


class FlowLayout(Struct, frozen=True):
    """Sizes of a diagram."""

    label_px: int
    ribbon_px: int
    whole_px: int
    """Height of the whole."""
    words: Mapping[str, str] = field(default_factory=lambda: FLOW_WORDS)
    """Words for the kinds of flows beside their names."""
    paint: Paint = ON_PAGE
    is_image: bool = False
    """Whether it is a separate image, with its title, its source, a legend and a background."""


WIDE = FlowLayout(216, 380, 240)
NARROW = FlowLayout(160, 116, 200, SHORT_WORDS)
IMAGE = FlowLayout(220, 480, 300, paint=Paint(IMAGE_COLOURS), is_image=True)


class DrawnFlow(Struct, frozen=True):
    """A flow with its ribbon and the place of its label."""

    flow: Flow
    name: str
    """Name, shortened to the width of the labels."""
    path: str
    y: float
    height: float

    @property
    def middle(self) -> float:
        """Return the height of the middle of its bar."""
        return round(self.y + self.height / 2, 1)


class FlowDrawing(Struct, frozen=True):
    """The elements of a diagram, in pixels."""

    chart: FlowChart
    layout: FlowLayout
    left: int
    top: int
    width: int
    height: int
    flows: Sequence[DrawnFlow]
    end_y: float
    end_height: float

    @property
    def ribbon_x(self) -> int:
        """Return the left end of the ribbons."""
        return self.left + self.layout.label_px + OFFSET_PX + NODE_PX

    @property
    def end_x(self) -> int:
        """Return the right end of the ribbons."""
        return self.ribbon_x + self.layout.ribbon_px

    @property
    def legend(self) -> list[tuple[int, str, str]]:
        """Return the left edge, kind and word of each item of the legend: the kinds that occur."""
        items, x = [], self.left
        for kind, word in FLOW_WORDS.items():
            if any(one.flow.kind == kind for one in self.flows):
                items.append((x, kind, word))
                x += LEGEND_MARK_PX + LEGEND_CHARACTER_PX * len(word)
        return items


def draw_flows(chart: FlowChart, layout: FlowLayout) -> FlowDrawing:
    """Draw a diagram. Raises ValueError for a chart without an amount."""
    total = sum((one.amount for one in chart.flows), Decimal(0))
    if total <= 0 or any(one.amount < 0 for one in chart.flows):
        raise ValueError("expected amounts of 0 or more, and one that is more")
    heights = [
        round(max(float(one.amount / total) * layout.whole_px, MIN_FLOW_PX), 1)
        for one in chart.flows
    ]
    slots = [max(height, LABEL_PX) for height in heights]
    margin = IMAGE_MARGIN_PX if layout.is_image else MARGIN_PX
    top = margin + TOP_PX + (TITLE_PX if layout.is_image else 0)
    high = sum(slots) + GAP_PX * (len(slots) - 1)
    end = end_y = top + (high - sum(heights)) / 2
    start = margin + layout.label_px + OFFSET_PX + NODE_PX
    drawn, y = [], float(top)
    for flow, height, slot in zip(chart.flows, heights, slots, strict=True):
        own = y + (slot - height) / 2
        path = _ribbon(start, own, start + layout.ribbon_px, end, height)
        name = shortened(flow.name, layout.label_px - CHARACTER_PIXELS)
        drawn.append(DrawnFlow(flow, name, path, round(own, 1), height))
        y += slot + GAP_PX
        end += height
    return FlowDrawing(
        chart=chart,
        layout=layout,
        left=margin,
        top=top,
        width=start + layout.ribbon_px + NODE_PX + margin,
        height=round(top + high + margin + (LEGEND_PX if layout.is_image else 0)),
        flows=drawn,
        end_y=round(end_y, 1),
        end_height=round(sum(heights), 1),
    )


def page_drawings(chart: FlowChart) -> list[tuple[str, FlowDrawing]]:
    """Return the drawings of a page by CSS class; the style sheet shows one of them."""
    return [("wide", draw_flows(chart, WIDE)), ("narrow", draw_flows(chart, NARROW))]


def _ribbon(x: int, y: float, end_x: int, end_y: float, height: float) -> str:
    """Return the outline of a flow, whose curves begin and end level."""
    middle = (x + end_x) / 2
    low, end_low = y + height, end_y + height
    return (
        f"M{x} {y:.1f}C{middle:.0f} {y:.1f} {middle:.0f} {end_y:.1f} {end_x} {end_y:.1f}"
        f"V{end_low:.1f}C{middle:.0f} {end_low:.1f} {middle:.0f} {low:.1f} {x} {low:.1f}Z"
    )
