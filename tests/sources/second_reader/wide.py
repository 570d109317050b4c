"""Salient statistics of MCS 2022 to 2025: a file for a chapter, a row for a year, a column for a series."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from tests.sources.second_reader.cells import (
    Address,
    Cell,
    Reading,
    Unread,
    estimated,
    figure,
    number_of,
    table,
)
from tests.sources.second_reader.names import commodity_of

STATISTICS = (
    ("net_import_reliance", r"NIR"),
    (None, r"Employment|Index|index"),
    ("price", r"Price|Ore_dt|dlb$"),
    ("imports", r"Imports"),
    ("exports", r"Exports"),
    ("stocks", r"Stocks"),
    ("consumption", r"Consum|^Alumina_Apparent"),
    ("stockpile_shipments", r"Shipments_(Gov|Ore|Ferro_Metal|Concentrate|Other)"),
    (
        "production",
        r"[Uu][Ss]prod|Production|^Prod_|_Mine_kt|_Refinery_kt|Granite_Prod|Extracted|Recycled",
    ),
)
"""The statistic of a column, by the words in its header; the first that occurs."""

AMOUNTS = {
    "mdol": ("USD", "1000000"),
    "mmt": ("Mt", "1"),
    "mct": ("Mct", "1"),
    "mcm": ("Mm3", "1"),
    "kt": ("kt", "1"),
    "kg": ("kg", "1"),
    "g": ("g", "1"),
    "t": ("t", "1"),
}
PRICES = {
    "ctslb": ("USD/lb", "0.01"),
    "dtoz": ("USD/ozt", "1"),
    "dlb": ("USD/lb", "1"),
    "dkg": ("USD/kg", "1"),
    "dto": ("USD/ozt", "1"),
    "dst": ("USD/st", "1"),
    "dct": ("USD/ct", "1"),
    "mtu": ("USD/mtu", "1"),
    "dt": ("USD/t", "1"),
    "dg": ("USD/g", "1"),
}
"""Units by the code at the end of a header, with the factor of cents and millions."""

LEAD = (
    "USprod_Mine_kt,USprod_Recoverable_kt,USprod_Refinery_Primary_kt,USprod_Refinery_Secondary_kt,"
    "Imports_Concentrates_kt,Imports_Metal_kt,Exports_Concentrates_kt,Exports_Metal_kt,Consump_kt,"
    "Price_North_American_ctslb"
)
"""The columns of lead in MCS 2024 and 2025, whose labels are shifted: as in MCS 2023, which has no recoverable
lead, and MCS 2026."""

HEADERS = {
    # A blank cell shifts the values: they belong to the label on their left, the last ones to none.
    "mcs2024-felds": "USprod_Feldspar_kt,Imports_Feldspar_kt,Imports_Nepheline_syenite_kt,Exports_Feldspar_kt,,"
    "Consump_Feldspar_kt,Consump_Felds-plus-neph_kt,Price_Feldspar_dt,Price_Nepheline_syenite_dt,"
    "Employment_num,NIR_Feldspar_pct,NIR_Nepheline_syenite_pct",
    "mcs2024-fluor": ",USprod_Metallurgical_kt,USprod_H2SiF6_kt,Imports_Acid_kt,Imports_Metallurgical_kt,"
    "Imports_Total_kt,Imports_HF_kt,Imports_AlF3_kt,Imports_Cryolite_kt,Exports_All_kt,Consump_kt,"
    "Price_Acid_dt,Price_Metallurgical_dt,Employment_Mine_num,NIR_pct",
    "mcs2024-lead": f"{LEAD},Employment_num,NIR_Metal_pct",
    "mcs2025-lead": f"{LEAD},NIR_Metal_pct",
}
"""The true headers of files whose labels or values are shifted, from the fourth column on."""

LABELS = {
    ("mcs2022-manga", "Price_CN_CIF_dt"): "Price_mtu",
    ("mcs2023-manga", "Price_CN_CIF_dt"): "Price_mtu",
    ("mcs2024-manga", "Price_CN_CIF_dt"): "Price_mtu",
    ("mcs2025-manga", "Price_CN_CIF_dt"): "Price_mtu",
    ("mcs2022-tungs", "Price_WO3_dt"): "Price_mtu",
    ("mcs2023-tungs", "Price_WO3_dt"): "Price_mtu",
    ("mcs2024-tungs", "Price_WO3dt"): "Price_mtu",
    ("mcs2025-tungs", "Price_WO3_dt"): "Price_mtu",
    ("mcs2024-tungs", "Stocks_"): "Stocks_t",
    ("mcs2025-tungs", "Stocks_"): "Stocks_t",
    # graphite of MCS 2022: `_t` of a price is dollars per metric ton, as in MCS 2023
    ("mcs2022-graph", "Price_Flake_t"): "Price_Flake_dt",
    ("mcs2022-graph", "Price_Lump_t"): "Price_Lump_dt",
    ("mcs2022-graph", "Price_Amorphous_t"): "Price_Amorphous_dt",
    ("mcs2023-niobi", "Price_kg"): "Price_dkg",
    ("mcs2023-lead", "Consump_t"): "Consump_kt",
    ("mcs2023-feste", "Exports_Total"): "Exports_Total_mmt",
    # arsenic: dollars per pound in MCS 2023 and 2026, for the same numbers
    ("mcs2024-arsen", "Price_Mtl_US_dkg"): "Price_Mtl_US_dlb",
    ("mcs2025-arsen", "Price_Mtl_US_dkg"): "Price_Mtl_US_dlb",
    ("mcs2024-bauxi", "Bauxite_Price_kt"): "Bauxite_Price_dt",
    ("mcs2024-bauxi", "Alumina_Price_kt"): "Alumina_Price_dt",
    ("mcs2025-bauxi", "Alumina_Price_kt"): "Alumina_Price_dt",
    ("mcs2024-diamo", "Bort_Price_Imports_mct"): "Bort_Price_Imports_dct",
    ("mcs2024-diamo", "Stones_Price_Imports_mct"): "Stones_Price_Imports_dct",
    ("mcs2025-diamo", "Bort_Price_Imports_mct"): "Bort_Price_Imports_dct",
    ("mcs2025-diamo", "Stones_Price_Imports_mct"): "Stones_Price_Imports_dct",
    ("mcs2024-galli", "Exports_g"): "Exports_kg",
    ("mcs2024-galli", "Consump_g"): "Consump_kg",
    ("mcs2024-galli", "Stocks_g"): "Stocks_kg",
    ("mcs2025-germa", "Consump_g"): "Consump_kg",
    ("mcs2024-mercu", "Price_Imports_df"): "Price_Imports_dkg",
    ("mcs2025-mercu", "Price_Imports_df"): "Price_Imports_dkg",
    ("mcs2025-mercu", "Imports_Secondary_t"): "Imports_Metal_t",
    ("mcs2024-mica", "Price_Sheet-Block_dt"): "Price_Sheet-Block_dkg",
    ("mcs2025-mica", "Price_Sheet-Block_dt"): "Price_Sheet-Block_dkg",
    ("mcs2024-mica", "Price_Sheet-Splittings_dt"): "Price_Sheet-Splittings_dkg",
    ("mcs2025-mica", "Price_Sheet-Splittings_dt"): "Price_Sheet-Splittings_dkg",
    ("mcs2025-mgmet", "Price_European_dlb"): "Price_US_spot_dlb",
    ("mcs2025-feore", "Consump_Reported_kt"): "Consump_Apparent_kt",
    ("mcs2025-feore", "Price_Apparent_dt"): "Price_dt",
    ("mcs2024-selen", "Price_US_dlb"): "Price_US_dkg",
    ("mcs2024-selen", "Price_Europe_dlb"): "Price_Europe_dkg",
    ("mcs2024-tin", "Consump_"): "Consump_t",
    ("mcs2024-zirco", "Price_Zircon_premium_CIF_CN_t"): "Price_Zircon_premium_CIF_CN_dt",
    ("mcs2025-zirco", "Price_Zircon_premium_CIF_CN_t"): "Price_Zircon_premium_CIF_CN_dt",
    ("mcs2024-zirco", "Price_Zircon_imported_t"): "Price_Zircon_imported_dt",
    ("mcs2025-zirco", "Price_Zircon_imported_t"): "Price_Zircon_imported_dt",
    ("mcs2024-zirco", "Price_Zircon_sponge_CN_t"): "Price_Zircon_sponge_CN_dkg",
    ("mcs2025-zirco", "Price_Zircon_sponge_CN_t"): "Price_Zircon_sponge_CN_dkg",
    ("mcs2024-zirco", "Price_Hf_unwrought_t"): "Price_Hf_unwrought_dkg",
    ("mcs2025-zirco", "Price_Hf_unwrought_t"): "Price_Hf_unwrought_dkg",
}
"""True headers where the label is wrong: by the neighbouring editions and the size of the numbers."""

ELEMENTS = {
    "CeO2": "cerium",
    "Dy2O3": "dysprosium",
    "Eu2O3": "europium",
    "La2O3": "lanthanum",
    "Nd2O3": "neodymium",
    "TbO2": "terbium",
    "Palladium": "palladium",
    "Platinum": "platinum",
    "Iridium": "iridium",
    "Osmium": "osmium",
    "Rhodium": "rhodium",
    "Ruthenium": "ruthenium",
    "Hf": "hafnium",
    "Bauxite": "bauxite",
    "Alumina": "alumina",
}
"""Words of headers that name a commodity within the chapter."""


def read(path: Path) -> Iterator[Cell]:
    """Yield every cell of a file below its header."""
    header, *rows = table(path)
    name = path.name.lower()
    stem, edition = name.split("_salient")[0], int(name[3:7])
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
    if stem in HEADERS:
        header = [*header[:3], *HEADERS[stem].split(",")]
        return header + [""] * 20
    if stem == "mcs2024-nicke":
        labels = iter(("Price_dt", "Price_dlb"))
        return [next(labels) if "both used" in label else label for label in header]
    if stem == "mcs2024-feste":  # the first `Consump_mmt` is continuously cast steel in percent
        return [
            label if at != header.index("Consump_mmt") else "" for at, label in enumerate(header)
        ]
    return [LABELS.get((stem, label), label) for label in header]


def cell(header: str, chapter: str, year: str, text: str, edition: int) -> Reading | Unread:
    """Return the figure of a cell under its true header."""
    if not text.strip() or not year.strip():
        return Unread("empty")
    statistic = next((word for word, found in STATISTICS if re.search(found, header)), None)
    if statistic is None:
        return Unread("no statistic", header)
    commodity = commodity_in(header, chapter)
    if commodity is None:
        return Unread("no commodity", chapter)
    unit, scale = unit_of(header, statistic)
    number = number_of(text, unit, scale=Decimal(scale)) if unit else Unread("words", text)
    if isinstance(number, Unread):
        return number
    number = estimated(number, int(year) == edition - 1)
    return figure(Reading(statistic, commodity, (int(year), int(year)), number))


def commodity_in(header: str, chapter: str) -> str | None:
    """Return the commodity of a column: of its words, otherwise of the chapter."""
    for word in re.split(r"[_ ]", header):
        if word in ELEMENTS:
            return ELEMENTS[word]
    return None if chapter == "Bauxite and Alumina" else commodity_of(chapter)


def unit_of(header: str, statistic: str) -> tuple[str, str]:
    """Return the unit by the end of a header, and the factor of cents or millions."""
    if statistic == "net_import_reliance":
        return "percent", "1"
    units = PRICES if statistic == "price" else AMOUNTS
    return next((units[code] for code in units if header.endswith(code)), ("", "1"))
