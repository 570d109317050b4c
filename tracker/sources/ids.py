"""Stable event ids of rows of publications."""

import re
import unicodedata

from tracker.domain.figures.figure_facts import Claimed
from tracker.domain.figures.tariff import LineFact
from tracker.domain.figures.tariff_edition import EditionRead
from tracker.domain.figures.trade_flow import FlowClaimed


def claim_id(claim: Claimed) -> str:
    """Return the id of a claim, from its publisher, edition and series: `usgs-mcs2024-gallium-cn-…`."""
    edition = slug(claim.edition).replace("-", "")
    series = claim.series.stream.split("/")[1:]
    parts = [claim.source.publisher, edition, *series, claim.edition_version or ""]
    return "-".join(slug(part) for part in parts if part)


def flow_id(claim: FlowClaimed) -> str:
    """Return the id of a claim on a trade flow: `cepii-baci202601-hs17-811292-de-2024`."""
    edition = slug(claim.edition).replace("-", "")
    parts = [claim.source.publisher, edition, *claim.stream.split("/")[1:]]
    return "-".join(map(slug, [*parts, *filter(None, [claim.edition_version])]))


def tariff_id(fact: EditionRead | LineFact) -> str:
    """Return the id of a fact about a tariff: `usitc-hts-2026-rev-10-81129210`."""
    parts = [fact.source.publisher, "hts", fact.edition]
    return "-".join([*parts, fact.code] if isinstance(fact, LineFact) else parts)


def slug(text: str) -> str:
    """Return `text` in lower case and digits with hyphens, without accents."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.casefold()).strip("-")
