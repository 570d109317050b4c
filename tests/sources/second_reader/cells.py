"""Cells of a file: their address, and their figure or the reason why they have none."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import csv

BASE_UNITS = {
    **{"g": "1e-6 t", "kg": "0.001 t", "t": "1 t", "kt": "1000 t", "Mt": "1e6 t", "mtu": "1 mtu"},
    **{"lb": "0.00045359237 t", "ozt": "0.0000311034768 t", "st": "0.90718474 t", "ct": "1 ct"},
    **{"Mct": "1e6 ct", "m3": "1 m3", "Mm3": "1e6 m3", "L": "1 L", "ML": "1e6 L", "kct": "1e3 ct"},
    **{"percent": "1 percent", "USD": "1 USD"},
}
"""Units with their base unit and the factor to it."""

WORDS = {"W": "withheld", "NA": "not_available", "XX": "not_applicable", "E": "net_exporter"}
"""Words of the publisher for the absence of a number."""


class Address(NamedTuple):
    """The address of a cell: file, line counted from 1, number of the column counted from 0, header."""

    file: str
    line: int
    column: int
    header: str


class Number(NamedTuple):
    """A number in its base unit with its qualifier; no number if the qualifier stands for it."""

    value: Decimal | None
    unit: str
    qualifier: str | None = None
    upper: Decimal | None = None


class Reading(NamedTuple):
    """The figure of a cell. `years` are the first and the last year of its period."""

    statistic: str
    commodity: str
    years: tuple[int, int]
    number: Number
    estimated: bool


Part = tuple[str, Number | None, tuple[str, ...]]
"""A named origin in a list: its place, its number unless the list has none, the places that it includes."""


class OriginList(NamedTuple):
    """A list of origins, which stands in one cell or in several lines."""

    statistic: str
    commodity: str
    years: tuple[int, int]
    parts: tuple[Part, ...]
    unnamed: Number | None = None
    estimated: bool = False


class Unread(NamedTuple):
    """A cell without a figure: the class of the reason, and the text of the cell."""

    reason: str
    text: str = ""


Content = Reading | OriginList | Unread
Cell = tuple[Address, Content]


def table(path: Path, encoding: str = "utf8") -> list[list[str]]:
    """Return all rows of a CSV file, the header too; row 0 is line 1."""
    text = pa.py_buffer(path.read_bytes().decode(encoding).encode())
    read = csv.ReadOptions(autogenerate_column_names=True)
    parse = csv.ParseOptions(ignore_empty_lines=False)
    types = {f"f{number}": pa.string() for number in range(99)}
    columns = csv.read_csv(text, read, parse, csv.ConvertOptions(column_types=types)).columns
    return [list(row) for row in zip(*(column.to_pylist() for column in columns), strict=True)]


def records(path: Path, encoding: str = "utf8") -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line and the named fields of every row below the header."""
    header, *rows = table(path, encoding)
    for line, row in enumerate(rows, 2):
        yield line, dict(zip(header, row, strict=True))


def in_base(unit: str) -> tuple[str, Decimal]:
    """Return the base unit of a unit such as `USD/lb` or `0.01 USD/lb`, and the factor to it."""
    *scale, name = unit.split()
    amount, _, per = name.partition("/")
    factor, base = BASE_UNITS[amount].split()
    value = Decimal(scale[0] if scale else 1) * Decimal(factor)
    if not per:
        return base, value
    per_factor, per_base = BASE_UNITS[per].split()
    return f"{base}/{per_base}", value / Decimal(per_factor)


def number_of(text: str, unit: str) -> Number | Unread:
    """Return the number of a cell in its base unit, or the reason why it has none."""
    text = text.replace("\xa0", " ").strip()
    base, factor = in_base(unit)

    def times(digits: str) -> Decimal:
        return Decimal(digits.replace(",", "")) * factor

    if text in WORDS:
        return Number(None, base, WORDS[text])
    if text == "—":
        return Number(Decimal(0), base, "nil")
    if match := re.fullmatch(r"([<>])\s*(\d[\d,.]*)\s*%?", text):
        return Number(times(match[2]), base, {"<": "less_than", ">": "more_than"}[match[1]])
    if match := re.fullmatch(r"(\d[\d,.]*)–(\d[\d,.]*)", text):
        return Number(times(match[1]), base, "range", times(match[2]))
    if re.search(r"(½|1/2|one-half|a half) unit", text.lower()):
        return Number(factor / 2, base, "less_than")
    if match := re.match(r"less than ([\d,]+) (tons|carats)", text.lower()):
        return Number(Decimal(match[1].replace(",", "")), base, "less_than")
    if match := re.fullmatch(r"e?([−?-]?)(\d[\d,]*(?:\.\d+)?)", text):
        return Number(-times(match[2]) if match[1] else times(match[2]), base)
    return Unread("words" if text else "empty", text)


def figure(
    statistic: str, commodity: str, year: int, number: Number | Unread, estimated: bool
) -> Reading | Unread:
    """Return the figure if its number is possible for its statistic, otherwise the reason."""
    if isinstance(number, Unread):
        return number
    if number.qualifier == "net_exporter" and statistic != "net_import_reliance":
        return Unread("words", "E")
    if (number.value or 0) < 0 and statistic != "stockpile_shipments":
        return Unread("footnote", str(number.value))
    if number.value == 0 and statistic == "price":
        return Unread("decimals lost", "0")
    return Reading(statistic, commodity, (year, year), number, estimated)
