"""Simulated lists and acts of China's Ministry of Commerce, with faults."""

import json
from dataclasses import dataclass, field

from tests.support.publishers.publisher import MISSING, Asked, Page, Publisher

LIST = "/zwgk/zcfb/index.html"
OTHER_LIST = "/zcfb/blgg/index.html"
ENGLISH_LIST = "/Policies/AnnouncementsOrders/index.html"
UNIT = "/api-gateway/jpaas-publish-server/front/page/build/unit"

RARE_EARTHS = """
<p>【发布单位】商务部 海关总署</p><p>【发布文号】公告2025年第18号</p><p>【发布日期】2025-04-04</p>
<p>根据《中华人民共和国两用物项出口管制条例》等法律法规有关规定，经国务院批准，决定对下列物项实施出口管制。</p>
<p>一、满足以下特性的物项，未经许可，不得出口：</p>
<p>（一）钐相关物项。</p><p>1. 金属钐、钐合金及相关制品。</p>
<p>（二）镝相关物项。</p><p>1. 金属镝、镝合金。</p>
<p>二、出口经营者应向国务院商务主管部门申请许可。</p>
<p>三、本公告自发布之日起正式实施。</p>
"""
"""The shortened text of an act that introduces a control."""


@dataclass
class Document:
    """An act at an address. `body` is the text inside the site's frame."""

    path: str
    title: str
    day: str
    body: str
    encoding: str = "utf-8"
    """Encoding of its bytes."""
    declared: str | None = "utf-8"
    """Encoding declared in the page."""
    header: str | None = None
    """Encoding declared in the header."""
    frame: str = '<div class="art-con art-con-bottonmLine">{}</div>'

    def page(self) -> Page:
        """Return the page at its address."""
        meta = f'<meta charset="{self.declared}">' if self.declared else ""
        text = f"<html><head>{meta}<title>{self.title}</title></head><body><nav>首页</nav>"
        text += self.frame.format(f"<h1>{self.title}</h1>{self.body}") + "</body></html>"
        return Page(text.encode(self.encoding), charset=self.header)


@dataclass
class Mofcom(Publisher):
    """The ministry with its lists, newest first, `page_size` per page."""

    lists: dict[str, list[Document]] = field(default_factory=dict)
    page_size: int = 20
    frame: str = '<ul class="policy-list f-mt20">{}</ul>'

    def __post_init__(self) -> None:
        super().__init__()

    def add(self, document: Document, *lists: str) -> Document:
        """Publish an act in lists."""
        for name in lists or (LIST,):
            self.lists.setdefault(name, []).insert(0, document)
        return document

    def withdraw(self, document: Document) -> None:
        """Remove an act from all lists, and from its address."""
        for documents in self.lists.values():
            documents[:] = [each for each in documents if each.path != document.path]

    def page(self, asked: Asked) -> Page:
        """Return a page of a list, in HTML or in JSON, or an act."""
        number = int(asked.parameter("pageNo", "1"))
        if asked.path == UNIT:
            html = self._list(LIST, number)
            content = json.dumps({"success": True, "data": {"html": html}}, ensure_ascii=False)
            return Page(content.encode(), "application/json")
        if asked.path in self.lists:
            html = f'<meta charset="utf-8">{self._list(asked.path, number)}'
            return Page(html.encode())
        for documents in self.lists.values():
            for document in documents:
                if document.path == asked.path:
                    return document.page()
        return MISSING

    def _list(self, name: str, number: int) -> str:
        documents = self.lists.get(name, [])[(number - 1) * self.page_size :][: self.page_size]
        if not documents:  # after the last page the first one is sent again
            documents = self.lists.get(name, [])[: self.page_size]
        items = "".join(
            f'<li><a href="{each.path}" title="{each.title}" target="_blank">{each.title[:20]}…</a>'
            f"<span>[{each.day}]</span></li>"
            for each in documents
        )
        return self.frame.format(items)


def act(
    serial: int, day: str, subject: str = "关于反倾销调查的公告", year: int = 2025, **more: str
) -> Document:
    """Return an announcement on another matter."""
    title = f"商务部公告{year}年第{serial}号 {subject}"
    body = more.pop("body", f"<p>【发布文号】公告{year}年第{serial}号</p><p>现予公告。{serial}</p>")
    path = more.pop("path", f"/zwgk/zcfb/art/{year}/art_{year}{serial:04}.html")
    return Document(path, title, day, body, **more)


def rare_earths(**changes: str) -> Document:
    """Return Announcement 2025 No. 18, at an address."""
    values = {
        "path": "/zwgk/zcfb/art/2025/art_18.html",
        "title": "商务部 海关总署公告2025年第18号 公布对部分中重稀土相关物项实施出口管制的决定",
        "day": "2025-04-04",
        "body": RARE_EARTHS,
    }
    return Document(**{**values, **changes})
