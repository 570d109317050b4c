"""The kinds of entities for tools."""

from enum import StrEnum


class Kind(StrEnum):
    """A kind of entity; the API has it in capitals."""

    EXPORT_CONTROL = "export_control"
    ALLIANCE = "alliance"
    ANNOUNCEMENT = "announcement"
    FIGURE = "figure"
    FIRM = "firm"
