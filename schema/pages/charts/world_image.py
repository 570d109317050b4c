"""The map of the world as a separate image: real colours, title, moment and legend inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from schema.pages.charts.credit import FOOT_PX
from schema.pages.charts.status_marks import IMAGE_COLOURS
from schema.pages.charts.world_map import Scale, WorldMap

STEP_COLOURS = ("#eceae4", "#d3e4ee", "#a9cbe0", "#6fa8cb", "#2f7dab", "#0c5283", "#062f50")
"""Steps of the light theme, because an image has no style sheet."""
WIDTH_PX, HEIGHT_PX = 1200, 630 - FOOT_PX
"""Size of link previews, without their foot."""
MARGIN_PX = 40
TITLE_LINE_PX = 34
NOTE_LINE_PX = 17
CHARACTERS_OF_TITLE, CHARACTERS_OF_NOTE = 64, 170
LEGEND_STEP_PX = 124


@dataclass(frozen=True)
class WorldImage:
    """The data for the template of the image."""

    map: WorldMap
    title: Sequence[str]
    notes: Sequence[str]
    legend: Sequence[tuple[str, str]]
    """Colours with their meanings; None for the hatch."""
    map_y: int
    map_width: int
    map_height: int
    colours: Mapping[str, str]
    steps: Sequence[str] = STEP_COLOURS
    width: int = WIDTH_PX
    height: int = HEIGHT_PX
    margin: int = MARGIN_PX
    title_line: int = TITLE_LINE_PX
    note_line: int = NOTE_LINE_PX
    legend_step: int = LEGEND_STEP_PX

    @property
    def map_x(self) -> int:
        """Return the left edge of the map, which centres it."""
        return (self.width - self.map_width) // 2

    @property
    def legend_y(self) -> int:
        """Return the top of the legend."""
        return self.map_y + self.map_height + 18


def layout_world_image(
    map: WorldMap, title: str, scale: Scale, hatched: str, notes: Sequence[str] = ()
) -> WorldImage:
    """Lay out an image; `notes` are below the title, such as the moment and the sources."""
    titles = wrap(title, CHARACTERS_OF_TITLE)
    below = [line for note in notes for line in wrap(note, CHARACTERS_OF_NOTE)]
    map_y = MARGIN_PX + len(titles) * TITLE_LINE_PX + len(below) * NOTE_LINE_PX
    room = HEIGHT_PX - map_y - MARGIN_PX - 16
    width = min(WIDTH_PX - 2 * MARGIN_PX, room * map.width // map.height)
    steps = [(STEP_COLOURS[step], label) for step, label in scale.legend]
    return WorldImage(
        map,
        titles,
        below,
        [*steps, ("", hatched)],
        map_y,
        width,
        width * map.height // map.width,
        IMAGE_COLOURS,
    )
