"""BGS World Mineral Statistics through its API (OGC API Features), one commodity after the other.

Source: ogcapi.bgs.ac.uk, collection world-mineral-statistics. The adapter follows the links to next pages,
and compares the features with the count of the API. Pages contain the time of the response, so their bytes
differ each day. A page is new if its figures are new. Each new page is proposed for import by the reader
`bgs`, as the download of its day.
"""

from collections.abc import Generator, Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from msgspec import Meta, Struct

from tracker.errors import InvalidInput
from tracker.review.finding import Finding, ImportProposal, Origin
from tracker.sources.ids import slug
from tracker.sources.readers.bgs_features import read_features
from tracker.watch import adapter
from tracker.watch.adapters.known_documents import fingerprint
from tracker.watch.json_answers import read_json
from tracker.watch.listing import fetch

ACCEPT = "application/geo+json, application/json;q=0.9"


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Selected figures: commodities by the publisher's names, of one statistic.

    `commodity_field` and `statistic_field` are the API's names in addresses. Public clients report that pages
    of 1,000 features and more are cut off.
    """

    commodities: Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]
    statistic: str = "Production"
    commodity_field: str = "bgs_commodity_trans"
    statistic_field: str = "bgs_statistic_type_trans"
    page_size: Annotated[int, Meta(ge=1, le=10_000)] = 500
    max_pages: Annotated[int, Meta(ge=1, le=100)] = 20


class FeaturePage(Struct, frozen=True):
    """A page of features: the fields of each in the reader's format, and the counts of the API."""

    response: adapter.Response
    features: list[dict[str, str]]
    ids: tuple[str, ...]
    matched: int | None
    next_url: str | None


def poll(
    settings: adapter.SourceSettings, cursor: adapter.Cursor, today: date
) -> adapter.PollSteps:
    """Read all pages of all commodities, and propose those whose figures are new or changed.

    One failed commodity is a warning, because a new poll would request all others again. A second one, or
    failure of the first, ends the poll.
    """
    options: Options = settings.options
    known: Mapping[str, str] = cursor.get("pages", {})
    pages: dict[str, str] = {}
    warnings = []
    failed = ""
    for commodity in options.commodities:
        try:
            read = yield from _read_pages(settings.address, options, commodity)
        except adapter.FetchFailed as failure:
            if failed or not pages:
                raise
            failed = commodity
            pages |= {item: known[item] for item in known if item.startswith(f"{commodity}, ")}
            warnings.append(f"the figures of {commodity!r} could not be fetched: {failure.message}")
            continue
        if not read[0].features:
            warnings.append(f"the API has no figures of {commodity!r}")
        for number, page in enumerate(read, 1):
            item = f"{commodity}, {options.statistic}, page {number}"[:200]
            pages[item] = fingerprint(page.features)
            if page.features and known.get(item) != pages[item]:
                yield _proposal(item, page, number, commodity, today, is_new=item not in known)
    covers_until = None if failed else today - timedelta(days=1)
    return adapter.PollResult({"pages": pages}, covers_until, tuple(warnings[:20]))


def _read_pages(
    address: str, options: Options, commodity: str
) -> Generator[adapter.Request | Finding, adapter.Response | None, list[FeaturePage]]:
    """Read all pages of a commodity.

    Raises NotUnderstood, with the code `INCOMPLETE` if features are missing or repeated.
    """
    parameters = {
        "f": "json",
        options.statistic_field: options.statistic,
        options.commodity_field: commodity,
        "limit": str(options.page_size),
        "offset": "0",
    }
    url: str | None = f"{address}?{urlencode(parameters)}"
    pages: list[FeaturePage] = []
    while url is not None and len(pages) < options.max_pages:
        page = _page((yield from fetch(adapter.Request(url, accept=ACCEPT))), address)
        for field in page.features:
            _check_commodities(field, options.statistic, commodity, url)
        pages.append(page)
        url = page.next_url if page.features else None
    _reconcile(pages, url, commodity)
    return pages


def _page(response: adapter.Response, address: str) -> FeaturePage:
    page = read_json(response, dict[str, Any])
    try:
        features = read_features(response.content)
    except InvalidInput as error:
        where = f" at {'.'.join(map(str, error.path))}" if error.path else ""
        raise adapter.NotUnderstood(f"{response.url}: {error.message}{where}") from None
    matched = page.get("numberMatched")
    if matched is not None and (not isinstance(matched, int) or isinstance(matched, bool)):
        raise adapter.NotUnderstood(f"{response.url}: numberMatched is not a number")
    return FeaturePage(
        response, features, tuple(_ids(page)), matched, _next(page, response.request.url, address)
    )


def _ids(page: Mapping[str, Any]) -> Iterator[str]:
    for feature in page["features"]:
        id = feature.get("id") or feature["properties"].get("synthetic_id")
        if id is not None:
            yield str(id)


def _next(page: Mapping[str, Any], url: str, address: str) -> str | None:
    """Return the request of the next page at the watched address: behind a proxy the API may name another
    host."""
    links = page.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") == "next" and link.get("href"):
            query = urlsplit(urljoin(url, str(link["href"]))).query
            named = dict(parse_qsl(query, keep_blank_values=True))
            missing = {k: v for k, v in parse_qsl(urlsplit(url).query) if k not in named}
            return f"{address}?{urlencode({**missing, **named})}"
    return None


def _check_commodities(field: Mapping[str, str], statistic: str, commodity: str, url: str) -> None:
    """Reject other figures than requested: an API may ignore an unknown parameter."""
    got = (field["bgs_commodity_trans"], field["bgs_statistic_type_trans"])
    if [text.casefold() for text in got] != [commodity.casefold(), statistic.casefold()]:
        raise adapter.NotUnderstood(
            f"{url}: asked for {commodity}, {statistic}, and got {', '.join(got)}:"
            " the API does not filter by the fields of the settings"
        )


def _reconcile(pages: list[FeaturePage], url: str | None, commodity: str) -> None:
    """Compare the pages with the count of the API. Raises NotUnderstood (`INCOMPLETE`)."""
    got = sum(len(page.features) for page in pages)
    ids = [id for page in pages for id in page.ids]
    matched = {page.matched for page in pages if page.matched is not None}
    if url is not None:
        reason = f"{len(pages)} pages are not all"
    elif len(set(ids)) < len(ids):
        reason = "features came twice, so that others may be missing"
    elif len(matched) > 1:
        reason = f"the number of figures changed meanwhile: {sorted(matched)}"
    elif matched and got not in matched:
        reason = f"{got} of {matched.pop()} figures were returned"
    else:
        return
    raise adapter.NotUnderstood(f"{commodity}: {reason}", code="INCOMPLETE")


def _proposal(
    item: str, page: FeaturePage, number: int, commodity: str, today: date, *, is_new: bool
) -> ImportProposal:
    years = sorted(field["year"][:4] for field in page.features)
    origin = Origin(
        item=item,
        title=f"BGS World Mineral Statistics: {item}",
        sha256=page.response.sha256,
        url=page.response.url,
        place="features",
        language="en",
    )
    reason = f"{len(page.features)} figures of {years[0]} to {years[-1]}, " + (
        "which were not seen before" if is_new else "some of which differ from before"
    )
    return ImportProposal(
        origin,
        reason,
        reader="bgs",
        file_name=f"bgs-{today}-{slug(commodity)[:60]}-{number}.json",
        settings={"published": today.isoformat()},
    )


ADAPTER = adapter.Adapter(
    name="bgs-ogc",
    title="BGS World Mineral Statistics (OGC API Features)",
    Options=Options,
    poll=poll,
)
