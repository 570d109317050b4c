"""The page of an act: its title, its number and its text, without the site's own elements."""

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from itertools import dropwhile

from msgspec import Struct

from tracker.watch.adapter import NotUnderstood, Request, Response
from tracker.watch.adapters.mofcom.numbers import ActNumber, number_in, plain
from tracker.watch.listing import Entry, select
from tracker.watch.markup import MAX_HTML_BYTES, META_CHARSET, WEB_ENCODINGS, lines_of, parse_html

ABOUT = re.compile(
    r"[【\[]?(?:来源|文章来源|信息来源|类型|分类|内容分类|索引号|发布时间|发布日期|发文日期|成文日期|发布单位"
    r"|发文单位|发文机关|发布文号|发文文号|发文字号|文号|浏览次数|责任编辑)[】\]]?\s*:?"
)
"""Beginnings of lines that sites put before or after the text of an act."""
SENTENCE = re.compile(r"。|\.$")
SPACE = re.compile(r"\s+")
DIGEST_CHARACTERS = 16


class Act(Struct, frozen=True):
    """An act at an address. `lines` are those of its page, `text` its own text."""

    title: str
    url: str
    day: date
    number: ActNumber | None
    lines: tuple[str, ...]
    text: str
    sha256: str

    @property
    def digest(self) -> str:
        """Return a hash of the text that does not depend on the layout of the page."""
        words = SPACE.sub("", self.text)
        return hashlib.sha256(words.encode()).hexdigest()[:DIGEST_CHARACTERS]


def act_request(url: str) -> Request:
    """Return the request for the page of an act."""
    return Request(url, accept="text/html", max_bytes=MAX_HTML_BYTES)


def read_act(response: Response, entry: Entry, body: str) -> Act:
    """Parse the page of an act; `body` is the selector of its text. Raises NotUnderstood."""
    check_declared_once(response)
    node = next(iter(select(parse_html(response), body)), None)
    lines = lines_of(node) if node is not None else []
    number = number_in(entry.title, lines)
    text = _text_of(lines)
    if not text:
        raise NotUnderstood(f"{response.url}: no sentence at {body!r}")
    return Act(
        title=entry.title,
        url=response.url,
        day=entry.day,
        number=number,
        lines=tuple(lines),
        text=text,
        sha256=response.sha256,
    )


def _text_of(lines: Sequence[str]) -> str:
    """Return the text of an act from its first sentence: the titles and numbers before it differ between
    the sites of the ministry."""
    remaining = [line for line in map(plain, lines) if not ABOUT.match(line)]
    return "\n".join(dropwhile(lambda line: not SENTENCE.search(line), remaining))


def check_declared_once(response: Response) -> None:
    """Reject a page whose header declares another encoding than the page itself.

    GB18030 decodes most bytes, so a wrong header would not be noticed. Raises NotUnderstood (`ENCODING`).
    """
    match = META_CHARSET.search(response.content[:2048])
    if not response.charset or match is None:
        return
    header, page = (
        WEB_ENCODINGS.get(name, name)
        for name in (response.charset.casefold(), match[1].decode().casefold())
    )
    if header.replace("-", "") != page.replace("-", ""):
        raise NotUnderstood(
            f"{response.url}: its header declares {header}, the page itself {page}", code="ENCODING"
        )
