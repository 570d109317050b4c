"""Reads the salient statistics in the long table of MCS 2026: one row for each value."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.figures.figure_facts import Claimed
from tracker.sources.reader import RefusedItem
from tracker.sources.readers.usgs import notes, salient_terms
from tracker.sources.readers.usgs.layouts import SectionRow
from tracker.sources.readers.usgs.salient_claims import NOT_FOLLOWED, Subject, parse_salient
from tracker.sources.readers.usgs.words import WORDS

STATISTICS = {word: Statistic(of) for word, of in WORDS["sections"].items()}
STOCKPILE = re.compile(r"shipments from government stockpile", re.IGNORECASE)
OPENING = re.compile(
    r"(?:granite only: )?(?:domestic )?(?:shipments from government stockpile|imports?(?: for consumption)?"
    r"(?: total)?|exports|consumption(?: of| rate of)?|stocks|price|production)\b[,:]?\s*",
    re.IGNORECASE,
)
"""The words of the statistic itself."""
RELIANCE = re.compile(
    r"net import reliance ?as a percentage of (?P<base>[^:,]*)(?:[:,] (?P<rest>.*))?", re.IGNORECASE
)
UNIT_WORDS = re.compile(
    r"(?:dollars|cents) per .*|million (?:dollars|liters)|less than .* per year", re.IGNORECASE
)
WITHOUT_MEANING = frozenset(
    ("average", "annual average", "average annual", "yearend", "average value", "price", "")
)
DATA_IN = re.compile(r"\(Data in [^,]*?, (?P<basis>.*?),? unless otherwise specified\)")
QUALITY = re.compile(
    r"\d%|purity|cost, insurance, and freight|free on board|in-?warehouse|Rotterdam|real price|nominal|"
    r"unit contains|inflation",
    re.IGNORECASE,
)
"""Words of a note that say which goods a price is for, and on which terms."""
EXCLUDED = {
    "excludes traded scrap": "traded scrap excluded",
    "Excludes production from Puerto Rico": "production from Puerto Rico excluded",
}
"""Parts that reliance leaves out, in the notes of MCS 2026."""


class LongReader:
    """Reads rows of one file; it counts rows under one name, which are several products."""

    def __init__(self) -> None:
        self._rows: Counter[tuple[str, ...]] = Counter()

    def read(self, row: SectionRow) -> Claimed | RefusedItem:
        """Return the claim of a row, or the reason why it is refused."""
        field = row.field
        if not field["Year"].isdecimal():
            return row.refused(f"unknown year {field['Year']!r}")
        statistic = _statistic(field)
        product = salient_terms.find_subject(field["Commodity"])
        if statistic is None:
            return row.refused(f"{field['Statistics']} is not followed", NOT_FOLLOWED)
        if product is None:
            return row.refused(f"unknown commodity {field['Commodity']!r}")
        measure = _measure(field, statistic)
        if measure is None:
            return row.refused(f"{field['Unit']} is not a unit of figures", NOT_FOLLOWED)
        repeated = self._repeated(product.commodity, field)
        if repeated:
            product = salient_terms.Product(product.commodity, repeated)
        return parse_salient(row.cell(statistic), _subject(field, statistic, product, measure))

    def _repeated(self, commodity: Commodity, field: dict[str, str]) -> str | None:
        products = salient_terms.declarations()["repeated"].get(commodity)
        key = (commodity, field["Statistics_detail"], field["Year"])
        number = self._rows[key]
        self._rows[key] += 1
        has_product = field["Statistics"] not in (
            "Import",
            "Export",
            "Consumption",
            "Net import reliance",
        )
        return (
            None if not products or has_product else str(products[min(number, len(products) - 1)])
        )


def _statistic(field: dict[str, str]) -> Statistic | None:
    if STOCKPILE.match(field["Statistics_detail"]):
        return Statistic.STOCKPILE_SHIPMENTS
    return STATISTICS.get(field["Statistics"].casefold())


def _measure(field: dict[str, str], statistic: Statistic) -> salient_terms.Measure | None:
    """Return the unit; the words of a price have precedence (manganese: metric ton unit)."""
    detail, unit = field["Statistics_detail"], field["Unit"]
    if statistic is Statistic.PRICE:
        match = re.search(r"(?:dollars|cents) per (?:dry )?metric ton unit", detail, re.IGNORECASE)
        unit = match[0] if match else unit
    elif unit == "percent" and statistic is not Statistic.NET_IMPORT_RELIANCE:
        return None
    return salient_terms.find_measure(unit)


def _subject(
    field: dict[str, str],
    statistic: Statistic,
    product: salient_terms.Product,
    measure: salient_terms.Measure,
) -> Subject:
    detail = field["Statistics_detail"]
    if statistic is Statistic.NET_IMPORT_RELIANCE:
        return _of_reliance(field, product, measure)
    parts = [part.strip() for part in re.split(r"[:,](?=\s|$)", OPENING.sub("", detail, count=1))]
    remarks = salient_terms.REMARK.findall(detail)
    weights = [words for words in (*parts, *remarks) if salient_terms.OF_WEIGHT.fullmatch(words)]
    words = ", ".join(part for part in parts if not _is_common(part))
    is_price = statistic is Statistic.PRICE
    return Subject(
        product=_with_words(product, _form(detail, words)),
        measure=measure,
        basis=_basis_of_price(field, measure)
        if is_price
        else _basis(field, weights, measure, product),
        words=detail,
        remarks=() if is_price else tuple(_remarks(detail, remarks)),
    )


def _remarks(detail: str, in_brackets: Iterable[str]) -> Iterator[str]:
    yield from (remark for remark in in_brackets if not salient_terms.OF_WEIGHT.fullmatch(remark))
    if "yearend" in detail:
        yield "At the end of the year."


def _is_common(words: str) -> bool:
    """Return whether words are not part of a product's name: units, bases, averages."""
    return bool(
        salient_terms.OF_WEIGHT.fullmatch(words)
        or UNIT_WORDS.fullmatch(words)
        or words.casefold() in WITHOUT_MEANING
    )


def _form(detail: str, words: str) -> str | None:
    """Return the product in a detail; the words after its last colon, if all words are too many."""
    plain = salient_terms.REMARK.sub("", words)
    after = detail.rpartition(": ")[2]
    return salient_terms.form_slug(
        after if len(plain) > 50 and after != detail and not _is_common(after) else plain
    )


def _with_words(product: salient_terms.Product, form: str | None) -> salient_terms.Product:
    """Return the product of a column of commodities with the product in a detail."""
    kind, _, rest = (form or "").partition("_")
    if kind in salient_terms.KINDS and rest:
        part = salient_terms.product_of_word(product.commodity, rest)
        word = f"{kind}_{part}" if part else kind
    else:
        word = (salient_terms.product_of_word(product.commodity, form) if form else None) or ""
    if product.form and word and product.form not in word:
        word = f"{product.form}_{word}"
        if len(word) > salient_terms.MAX_FORM_CHARACTERS:
            word = product.form
    return salient_terms.narrowed(product.commodity, word or product.form)


def _of_reliance(
    field: dict[str, str], product: salient_terms.Product, measure: salient_terms.Measure
) -> Subject:
    """Return the subject of net import reliance: its basis is the denominator and what is left out."""
    match = RELIANCE.search(field["Statistics_detail"])
    base, rest = (match["base"], match["rest"]) if match else (None, None)
    content = rest if rest and salient_terms.OF_WEIGHT.fullmatch(rest) else None
    left_out = (words for phrase, words in EXCLUDED.items() if phrase in field["Notes"])
    basis = (base, content, *left_out, salient_terms.rebase(product.commodity) if base else None)
    form = product.form if content or not rest else salient_terms.form_slug(rest)
    return Subject(
        product=salient_terms.narrowed(product.commodity, form),
        measure=measure,
        basis="; ".join(words for words in basis if words) or None,
    )


def _basis(
    field: dict[str, str],
    weights: list[str],
    measure: salient_terms.Measure,
    product: salient_terms.Product,
) -> str | None:
    """Return the basis of weight: of the row, its note, or its chapter."""
    if not measure.unit.endswith("t") and measure.unit != "kg":
        return None
    if "Gross weight." in field["Notes"]:
        return "gross weight"
    if weights:
        return weights[0].casefold() if weights[0].casefold() == "gross weight" else weights[0]
    declared: str | None = salient_terms.declarations()["basis"].get(product.commodity)
    match = DATA_IN.match(field["Other notes"])
    return declared or (re.sub(r".*\((\w+)\)", r"\1", match["basis"]) if match else None)


def _basis_of_price(field: dict[str, str], measure: salient_terms.Measure) -> str | None:
    """Return the terms of a price, in the publisher's words: market, purity, delivery."""
    detail = re.sub(r"(?<=\d)\?(?=\w)", "-", field["Statistics_detail"])  # a lost hyphen
    parts = re.split(r"(?<=[:,])\s", detail.rstrip(", "))
    terms = [p.strip(" ,:") for p in parts if not UNIT_WORDS.fullmatch(p.strip(" ,:"))]
    if terms and terms[0].casefold() == "price":
        terms = terms[1:]
    lot = f"lot of {measure.lot}" if measure.lot else None
    sentences = (text.strip(" .") for text in notes.sentences(field["Notes"]))
    quality = (text for text in sentences if len(text) < 150 and QUALITY.search(text))
    return "; ".join(text for text in (", ".join(terms), *quality, lot) if text) or None
