"""Tables of a server, with frames of polars and pandas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas
    import polars

NUMBERS = {"Decimal": float, "Float": float, "Int": int, "Position": int}
"""Scalars of the schema that become numbers in frames; all others stay texts or flags."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table at one moment."""

    name: str
    about: dict[str, str]
    """Moment, digest, completeness, licence, citation and permanent address."""
    types: dict[str, str]
    """Scalar types by column."""
    rows: list[dict[str, Any]]
    """The rows, with decimals as texts and None for "not recorded"."""

    def columns(self) -> dict[str, list[Any]]:
        """Return the values by column, with numbers as numbers."""
        return {
            name: [self._value(name, row.get(name)) for row in self.rows] for name in self.types
        }

    def polars(self) -> polars.DataFrame:
        """Return the table as a frame of polars (extra `polars`)."""
        import polars

        kinds = {float: polars.Float64, int: polars.Int64}
        schema = {
            name: kinds[NUMBERS[scalar]] for name, scalar in self.types.items() if scalar in NUMBERS
        }
        return polars.DataFrame(
            self.columns(), schema_overrides=schema, infer_schema_length=None, strict=False
        )

    def pandas(self) -> pandas.DataFrame:
        """Return the table as a frame of pandas (extra `pandas`)."""
        import pandas

        return pandas.DataFrame(self.columns())

    def _value(self, column: str, value: Any) -> Any:
        number = NUMBERS.get(self.types[column])
        return number(value) if number and value is not None else value
