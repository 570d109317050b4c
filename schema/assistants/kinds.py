"""The kinds of entities that tools speak of."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """A kind of entity, as the API has it in capitals."""

    EXPORT_CONTROL = "export_control"
    ALLIANCE = "alliance"
    ANNOUNCEMENT = "announcement"
    FIGURE = "figure"
    FIRM = "firm"
