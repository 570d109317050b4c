"""Facts that every description of the data repeats. Pure."""

from urllib.parse import urlencode

from msgspec import Struct

from schema.tables.formats import FORMATS, PRODUCT
from schema.tables.table import Table
from tracker.domain.wording.phrases import with_capital

TITLE = f"{PRODUCT}: data"
DESCRIPTION = (
    "Export controls, import restrictions, alliances, announcements and figures of critical minerals as"
    " dated facts with their sources. Every table can be read as of any date and as recorded at any"
    " position of the log. An empty cell means that nothing is recorded."
)
KEYWORDS = ("critical minerals", "export controls", "rare earths", "supply chains", "mining")
CSV_FORM = {"header": "none"}
"""Parameter of CSV files without comment lines, which most programs expect."""


class Site(Struct, frozen=True):
    """A site with the present moment of its data."""

    origin: str
    """Scheme and host."""
    valid_at: str
    position: str
    known_at: str | None
    """Time of the last event; None for an empty log."""
    public: bool = True
    """Whether everyone may read."""

    @property
    def modified(self) -> str:
        """Return the time of the last event, or else the date."""
        return self.known_at or self.valid_at

    def table_url(self, table: Table) -> str:
        """Return the address of the description of a table."""
        return f"{self.origin}/tables#{table.name}"

    def file_url(self, table: Table, ending: str) -> str:
        """Return the address of a whole table as a file with the newest data."""
        form = f"?{urlencode(CSV_FORM)}" if ending == "csv" else ""
        return f"{self.origin}/tables/{table.name}.{ending}{form}"


def media_type(ending: str) -> str:
    """Return the media type of a format without its parameters."""
    return FORMATS[ending].media_type.partition(";")[0]


def described(table: Table) -> str:
    """Return the description of a table, long enough for search engines."""
    needs = [one.name for one in table.parameters.values() if one.required]
    requirement = f" It needs {' and '.join(needs)}." if needs else ""
    if table.needs_one_of:
        requirement = f" It needs one of {', '.join(table.needs_one_of)}."
    return f"{table.about}{requirement} {DESCRIPTION}"


def title(table: Table) -> str:
    """Return the name of a table as a title: `Clause counts`."""
    return with_capital(table.name.replace("-", " "))
