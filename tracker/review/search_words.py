"""Search words of candidates in the queue. Pure."""

import re
import unicodedata
from collections.abc import Iterable

from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place

IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"
WORD = re.compile(rf"[{IDEOGRAPHS}]|[^\W_{IDEOGRAPHS}]+")
"""A run of letters and digits; in scripts without spaces, each character, as in `log.words_of`."""
MAX_CHARACTERS = 8_000
"""Maximum number of indexed characters of the words of one candidate."""


def search_words(
    texts: Iterable[str | None], commodities: Iterable[str], issuers: Iterable[str]
) -> str:
    """Return the words of a candidate: of its texts, and the names of its subjects and issuers.

    So a title in Chinese can be found by the English name of its goods.
    """
    goods = [" ".join((id, entry.name, *entry.also)) for id, entry in _commodity_names(commodities)]
    places = [issuer if issuer.islower() else _place_words(issuer) for issuer in issuers]
    return " \n".join([text for text in texts if text] + goods + places)[:MAX_CHARACTERS]


def _commodity_names(commodities: Iterable[str]) -> list[tuple[str, Commodity]]:
    return [(id.replace("_", " "), Commodity(id)) for id in commodities]


def _place_words(code: str) -> str:
    return f"{code} {Place(code).name}"


def search_query(text: str) -> str:
    """Return a search in the syntax of `to_tsquery`: every word, as a prefix; empty without words."""
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()
    return " & ".join(f"'{word}':*" for word in dict.fromkeys(WORD.findall(bare)))
