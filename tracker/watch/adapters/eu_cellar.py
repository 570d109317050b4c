"""The Official Journal of the European Union: acts with certain terms in their titles.

Source: Cellar, by SPARQL at publications.europa.eu/webapi/rdf/sparql (no key, reuse is free under Decision
2011/833/EU). Since October 2023 each act is published separately, on a day of its own; older acts are not
requested. Cellar has the titles of acts, not their effects, so all findings are leads.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tracker.errors import InvalidInput
from tracker.review.finding import Finding, Lead, LeadCode, Origin
from tracker.watch.adapter import Adapter, Cursor, PollResult, PollSteps, SourceSettings
from tracker.watch.adapters.cellar_query import LANGUAGES, LIMITS, Query, Row, Title, last_part
from tracker.watch.adapters.day_ranges import read_days
from tracker.watch.adapters.known_documents import (
    KnownDocument,
    KnownDocuments,
    cursor_of,
    fingerprint,
)
from tracker.watch.terms import Term, terms_in

COLD_START_DAYS = 90
FIRST_DAY = date(2023, 10, 1)
"""First day on which acts were published separately."""
COVERS_DAYS_AGO = 2
"""Delay of Cellar in days: an act appears on its day, or on the day after."""
MAX_TERMS = 60
CITATION = re.compile(
    r"[^()]{3,100}\((?:EU|UE|EC|CE|EEC|Euratom|CFSP|PESC|PESK|EÚ|ЕС)[^)]{0,30}\)"
    r"(?: No\.?| n[°º])? [0-9]+/[0-9]+"
)
"""Pattern of the beginning of an act's title, with its number."""
CORRIGENDUM = re.compile(r"(?P<act>.+)R\([0-9]+\)")
"""Pattern of the CELEX number of a corrigendum."""


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Selection of acts: those with one of the `terms` of a language in their title in that language.

    The languages are those of Cellar (`ENG`, `FRA`, …); the first with a match determines the title. `series`
    are those of the Official Journal. A first poll begins at `since` (default: 90 days ago, at the earliest
    2023-10-01). Each poll repeats the last `overlap_days`.
    """

    terms: dict[Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")], tuple[Term, ...]]
    series: tuple[Literal["L", "C"], ...] = ("L", "C")
    since: date | None = None
    overlap_days: Annotated[int, Meta(ge=1, le=90)] = 14

    def __post_init__(self) -> None:
        if not self.terms:
            raise InvalidInput("expected terms of a language", path=("terms",))
        for language, terms in self.terms.items():
            if language not in LANGUAGES:
                raise InvalidInput(
                    f"expected a language of {', '.join(LANGUAGES)}", path=("terms", language)
                )
            for index, term in enumerate(terms):
                if not term.isprintable() or '"' in term or "\\" in term:
                    raise InvalidInput(
                        "expected terms without quotes", path=("terms", language, index)
                    )
        if not 0 < sum(map(len, self.terms.values())) <= MAX_TERMS:
            raise InvalidInput(f"expected 1 to {MAX_TERMS} terms", path=("terms",))
        if self.since and self.since < FIRST_DAY:
            raise InvalidInput(f"expected {FIRST_DAY} or later", path=("since",))


class Act(Struct, frozen=True):
    """An act with its matching titles, the preferred one first."""

    name: str
    titles: tuple[Title, ...]
    terms: tuple[str, ...]

    @property
    def row(self) -> Row:
        """Return the preferred title."""
        return self.titles[0].row

    @property
    def day(self) -> date:
        """Return the day of publication."""
        return date.fromisoformat(self.row.day.value)

    @property
    def known(self) -> KnownDocument:
        """Return the part that is remembered."""
        keys = sorted(title.row.key for title in self.titles)
        return KnownDocument(fingerprint(keys), self.day, self.row.title.value)

    def origin(self) -> Origin:
        """Return the origin of the preferred title."""
        row, language = self.row, LANGUAGES[last_part(self.row.language.value)]
        celex = row.celex.value if row.celex else None
        eur_lex = f"https://eur-lex.europa.eu/legal-content/{language.upper()}/TXT/?uri=CELEX:"
        citation = CITATION.match(row.title.value)
        return Origin(
            item=self.name,
            title=row.title.value,
            sha256=self.titles[0].sha256,
            url=eur_lex + celex if celex else row.work.value,
            place=self.titles[0].place,
            language=language,
            published_on=self.day,
            number=citation[0].strip() if citation else celex,
        )


def poll(settings: SourceSettings, cursor: Cursor, today: date) -> PollSteps:
    """Poll a range of days for acts that are new, changed or withdrawn."""
    options: Options = settings.options
    query = Query(settings.address, options.terms)
    query_fingerprint = fingerprint([[*map(list, options.terms.items())], options.series])
    known = KnownDocuments.of(cursor, query_fingerprint)
    since = options.since or max(FIRST_DAY, today - timedelta(days=COLD_START_DAYS))
    days = known.days(since, options.overlap_days, today)
    titles = yield from read_days(days, query.request_page, LIMITS)
    acts = _acts(titles.values(), options)
    for act in sorted(acts.values(), key=lambda act: (act.day, act.name)):
        yield from _findings(act, known)
    for name, document in known.missing(acts, days).items():
        yield _withdrawn(name, document, settings)
    now = {name: act.known for name, act in acts.items()}
    covers = today - timedelta(days=COVERS_DAYS_AGO)
    return PollResult(cursor_of(today, options.overlap_days, query_fingerprint, now), covers)


def _acts(titles: Iterable[Title], options: Options) -> dict[str, Act]:
    """Return the acts whose titles contain a term of their language, by id."""
    languages = list(options.terms)
    works: dict[str, list[Title]] = {}
    for title in titles:
        if _terms(title.row, options) and _is_in_series(title.row, options):
            works.setdefault(title.row.work.value, []).append(title)
    acts: dict[str, Act] = {}
    for work, rows in works.items():
        rows.sort(key=lambda title: (languages.index(_language(title.row)), title.row.key))
        celex = min((each.row.celex.value for each in rows if each.row.celex), default=work)
        # One number with two works: each is an act, under the address of its work.
        name = work if celex in acts else celex
        acts[name] = Act(name, tuple(rows), tuple(_terms(rows[0].row, options)))
    return acts


def _language(row: Row) -> str:
    return last_part(row.language.value)


def _terms(row: Row, options: Options) -> list[str]:
    return terms_in(row.title.value, options.terms.get(_language(row), ()))


def _is_in_series(row: Row, options: Options) -> bool:
    """Return whether an act is in a selected series, or in an unknown one."""
    series = (
        {"OJ-L": "L", "OJ-C": "C"}.get(last_part(row.collection.value)) if row.collection else None
    )
    return series is None or series in options.series


def _findings(act: Act, known: KnownDocuments) -> Iterator[Finding]:
    now = act.known.fingerprint
    if known.has(act.name, now):
        return
    if known.had_another(act.name, now):
        before = known.documents[act.name]
        reason = f"Cellar describes this act differently since the last poll; its title was: {before.title}"
        yield Lead(act.origin(), reason, LeadCode.ANOTHER_BODY)
        return
    celex = act.row.celex.value if act.row.celex else act.name
    terms = f"with {', '.join(act.terms)} in its title"
    if celex != act.name:
        reason = f"Another work under the number {celex}, {terms}"
        yield Lead(act.origin(), reason, LeadCode.ANOTHER_BODY)
    elif corrected := CORRIGENDUM.fullmatch(celex):
        reason = f"A corrigendum to {corrected['act']}, {terms}"
        yield Lead(act.origin(), reason, LeadCode.ANNOUNCED)
    else:
        yield Lead(act.origin(), f"An act {terms}", LeadCode.ANNOUNCED)


def _withdrawn(name: str, known: KnownDocument, settings: SourceSettings) -> Lead:
    origin = Origin(
        item=name,
        title=known.title,
        sha256=None,
        url=settings.address,
        published_on=known.day,
        number=name,
    )
    reason = "Cellar listed the act before, and does not any more"
    return Lead(origin, reason, LeadCode.WITHDRAWN)


ADAPTER = Adapter(
    name="eu-cellar",
    title="Official Journal of the EU: acts with terms in their titles (Cellar, SPARQL)",
    Options=Options,
    poll=poll,
)
