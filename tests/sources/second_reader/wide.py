"""Salient statistics of MCS 2022 to 2025, a column for a series and a row for a year; and their figure 2."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.sources.second_reader import cells
from tests.sources.second_reader.cells import Address, Cell, Unread
from tests.sources.second_reader.names import commodity_of, place_of

STATISTICS = {
    r"NIR": "net_import_reliance",
    r"Employment|[Ii]ndex|CASE.*kt": "",
    r"Price|Ore_dt|dlb$": "price",
    **{r"Imports": "imports", r"Exports": "exports", r"Stocks": "stocks"},
    r"Consum|^Alumina_Apparent": "consumption",
    r"Shipments_(Gov|Ore|Ferro_Metal|Concentrate|Other)": "stockpile_shipments",
    r"[Uu][Ss]prod|Production|^Prod_|_Mine_kt|_Refinery_kt|Granite_Prod|Extracted|Recycled": "production",
}
"""The statistic of a column by the words in its header, the first that occurs; empty if there is none."""

AMOUNTS = {
    **{"mdol": "1e6 USD", "mmt": "Mt", "mct": "Mct", "mcm": "Mm3"},
    **{"kt": "kt", "kg": "kg", "t": "t"},
}
PRICES = {
    **{"ctslb": "0.01 USD/lb", "dlb": "USD/lb", "dtoz": "USD/ozt", "dto": "USD/ozt"},
    **{"dst": "USD/st", "dg": "USD/g", "kg": "USD/kg", "dt": "USD/t", "dct": "USD/ct"},
    **{"mtu": "USD/mtu"},
}
"""Units by the code at the end of a header, with the factor of cents and millions."""

LEAD = (
    "USprod_Mine_kt,USprod_Recoverable_kt,USprod_Refinery_kt,USprod_Secondary_kt,Imports_Ore_kt,"
    "Imports_Metal_kt,Exports_Ore_kt,Exports_Metal_kt,Consump_kt,Price_ctslb"
)
HEADERS = {
    "2024-felds": "USprod_F_kt,Imports_F_kt,Imports_N_kt,Exports_F_kt,,Consump_F_kt,Consump_FN_kt,"
    "Price_F_dt,Price_N_dt,Employment,NIR_F,NIR_N",
    "2024-fluor": ",USprod_Met_kt,USprod_H2SiF6_kt,Imports_Acid_kt,Imports_Met_kt,Imports_Total_kt,"
    "Imports_HF_kt,Imports_AlF3_kt,Imports_Cryolite_kt,Exports_kt,Consump_kt,Price_Acid_dt,"
    "Price_Met_dt,Employment,NIR",
    "2024-lead": f"{LEAD},Employment,NIR_Metal",
    "2025-lead": f"{LEAD},NIR_Metal",
}
"""True headers from the fourth column on where labels or values are shifted. In felds and fluor a blank cell
shifts the values; lead has a series that MCS 2023 has not, and no label for it."""

LABELS = (
    ("manga|tungs", "Price", "Price_mtu"),
    ("tungs|tin", "Stocks_$|Consump_$", "{}t"),
    ("2022-graph|bauxi", "Price", "{}_dt"),
    ("202[45]-arsen", "Price", "Price_dlb"),  # in MCS 2023 and 2026 the same numbers are per pound
    ("diamo", "Price", "Price_dct"),
    ("galli|germa", "Exports|Consump|Stocks", "{}_kg"),
    ("mercu|2024-selen", "Price", "Price_kg"),
    ("2025-mercu", "Imports_Secondary", "Imports_Metal_t"),
    ("mica", "Sheet-", "Price_Sheet_kg"),
    ("2025-feore", "Price", "Price_dt"),
    ("zirco", "premium|imported", "Price_dt"),
    ("zirco", "sponge|Price_Hf", "{}_kg"),
    ("2023-lead", "Consump", "Consump_kt"),
    ("2023-feste", "Exports_Total", "Exports_Total_mmt"),
)
"""True labels where the printed one has a wrong unit or none: by the neighbouring editions and the size of
the numbers. File, label, and the true one."""

ELEMENTS = {
    **{"CeO2": "cerium", "Dy2O3": "dysprosium", "Eu2O3": "europium", "La2O3": "lanthanum"},
    **{"Nd2O3": "neodymium", "TbO2": "terbium", "Hf": "hafnium"},
    **{name.title(): name for name in ("bauxite", "alumina", "palladium", "platinum", "iridium")},
    **{name.title(): name for name in ("osmium", "rhodium", "ruthenium")},
}
"""Words of headers that name a commodity within the chapter."""


def read(path: Path) -> Iterator[Cell]:
    """Yield every cell of a file below its header."""
    header, *rows = cells.table(path)
    stem, edition = path.name.lower().split("_salient")[0], int(path.name[3:7])
    true = true_headers(stem, header)
    for line, row in enumerate(rows, 2):
        for column, text in enumerate(row[3:], 3):
            address = Address(path.name, line, column, header[column])
            if header[1] == "Country":
                yield address, Unread("other table", text)
            else:
                yield address, cell(true[column], row[1], row[2], text, edition)


def true_headers(stem: str, header: list[str]) -> list[str]:
    """Return the headers without the publisher's errors."""
    if stem[3:] in HEADERS:
        return [*header[:3], *HEADERS[stem[3:]].split(","), *[""] * 20]
    header = list(header)
    if stem == "mcs2024-nicke":
        at = header.index("Price_dt dlb (both used)")
        header[at : at + 2] = "Price_dt", "Price_dlb"
    if stem == "mcs2024-feste":
        header[header.index("Consump_mmt")] = ""  # continuously cast steel, in percent
    for number, label in enumerate(header):
        for file, printed, true in LABELS:
            if re.search(file, stem) and re.search(printed, label):
                header[number] = true.format(label)
    return header


def cell(header: str, chapter: str, year: str, text: str, edition: int) -> cells.Reading | Unread:
    """Return the figure of a cell under its true header."""
    if not text.strip() or not year.strip():
        return Unread("empty")
    statistic = next((word for words, word in STATISTICS.items() if re.search(words, header)), "")
    if not statistic:
        return Unread("no statistic", header)
    named = (ELEMENTS[word] for word in re.split("[_ ]", header) if word in ELEMENTS)
    commodity = next(named, None) or commodity_of(chapter)
    units = PRICES if statistic == "price" else AMOUNTS
    unit = next((unit for code, unit in units.items() if header.endswith(code)), None)
    if statistic == "net_import_reliance":
        unit = "percent"
    if unit is None:
        return Unread("words", text)
    number = cells.number_of(text, unit)
    estimated = int(year) == edition - 1 or text.startswith("e")
    return cells.figure(statistic, commodity, int(year), number, estimated)


def read_figure_2(path: Path) -> Iterator[Cell]:
    """Yield the reliance in the last year and the main import sources of every line of figure 2."""
    header, *rows = cells.table(path)
    (year,), (first, last) = (map(int, re.findall(r"\d{4}", name)) for name in header[3:5])
    for line, row in enumerate(rows, 2):
        commodity = commodity_of(row[2].split(",")[0])
        number = cells.number_of(row[3], "percent")
        reliance = cells.figure("net_import_reliance", commodity, year, number, True)
        yield Address(path.name, line, 3, header[3]), reliance
        notes = row[5] if len(row) > 5 else ""
        ranks = ranks_of(commodity, (first, last), row[4], notes)
        yield Address(path.name, line, 4, header[4]), ranks


def ranks_of(commodity: str, years: tuple[int, int], text: str, notes: str) -> cells.Content:
    """Return the places in a cell, in order. A digit after a name is the mark of a note on Hong Kong."""
    parts: list[cells.Part] = []
    for name in map(str.strip, text.split(",")):
        plain = name.rstrip("0123456789")
        place = place_of(plain)
        if place is None:
            return Unread("no place", plain)
        marked = plain != name or ("Hong Kong" in notes and plain == "China")
        parts.append((place, None, ("HK",) if marked else ()))
    return cells.OriginList("import_ranks", commodity, years, tuple(parts))
