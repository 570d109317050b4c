"""The tables behind the pages of dependence. Pure."""

from collections.abc import Mapping

from schema.pages.site.page import TableOfPage


def dependence_tables(renamed: Mapping[str, str]) -> tuple[TableOfPage, ...]:
    """Return the tables beside the one of a page of dependence; `renamed` as in `TableOfPage`."""
    return (
        TableOfPage("reliance", renamed, without=frozenset({"form", "measures"})),
        TableOfPage("import-origins", renamed, without=frozenset({"measures"})),
        TableOfPage("trade", renamed, without=frozenset({"form", "measures", "figures"})),
    )
