"""Pages of the server as pages of a static site. Pure.

Links become relative paths of files. Forms, live updates and files that need the server are removed; other
links to the server lead to the page that explains them.
"""

import re
from html import escape, unescape
from urllib.parse import urldefrag

from msgspec import Struct

from deploy.export.static_site.addresses import EXPLANATION, Addresses, Reason

HOST = "static-site.invalid"
"""Host of the requests for pages: a name that no text contains (RFC 6761)."""
ORIGIN = f"http://{HOST}"
SCRIPTS = ("docs.js", "site.js", "tables.js")
"""Scripts that work without the server."""

LINK = re.compile(r'\b(href|src)="(/(?!/)[^"]*)"( download\b)?')
SCRIPT = re.compile(r'<script type="module" src="[^"]*/([a-z_]+\.js)"></script>\n?')
SEARCH = re.compile(r"<search\b.*?</search>", re.DOTALL)
TIME = re.compile(r'<form class="time".*?</form>\n?', re.DOTALL)
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
HEAD_LINK = re.compile(r'<link rel="(alternate|canonical|cite-as)"[^>]*href="([^"]*)">\n?')
IMAGE_META = re.compile(r'<meta (?:property="og:image|name="twitter:)[^>]*>\n?')
MENU = re.compile(
    r'<details name="tools"><summary class="btn">(?:Follow|Embed)</summary>.*?</details>', re.DOTALL
)
"""Menus that need the server."""
RECEIPT = re.compile(
    r'(<details name="tools"><summary class="btn">Receipt</summary>)<div[^>]*>'
    r'\s*(<p><a href="([^"]*)" download>[^<]*</a></p>).*?</details>',
    re.DOTALL,
)
"""The menu with a link to the receipt, and the check of it by the server."""
DOWNLOAD = re.compile(r'<li><a href="(/[^"]*)" download>[^<]*</a></li>')
PROOF = re.compile(
    r'<section class="c6" aria-labelledby="proof-title">.*?</section>'
    r'|<section class="rule gap" aria-labelledby="elsewhere">.*?</section>',
    re.DOTALL,
)
ADDRESS = re.compile(re.escape(ORIGIN) + r"(/[A-Za-z0-9._~:,%/?=+&-]*)?")
ADDRESS_IN_MARKUP = re.compile(re.escape(ORIGIN) + r"(/(?:[A-Za-z0-9._~:,%/?=+-]|&amp;)*)?")
NO_FORM = '<p class="note">This form needs the server: <a href="{}">published pages</a>.</p>'


class StaticPages(Struct, frozen=True):
    """Rewrites pages and files for a site at an address; without one, addresses begin with a slash."""

    addresses: Addresses
    base_url: str = "/"

    def page(self, html: str, file: str) -> tuple[str, list[str]]:
        """Return a page for its place in the site, and the addresses of the server that it links to."""
        to_root = "../" * file.count("/")
        links = list[str]()

        def link(found: re.Match[str]) -> str:
            name, (address, fragment) = found[1], urldefrag(unescape(found[2]))
            target = self.addresses.file_of(address)
            if isinstance(target, Reason):
                return f'{name}="{to_root}{EXPLANATION}#{target}"'
            links.append(address)
            anchor = f"#{escape(fragment)}" if fragment else ""
            return f'{name}="{to_root}{target}{anchor}"{found[3] or ""}'

        for pattern in (SEARCH, TIME, IMAGE_META, MENU, PROOF):
            html = pattern.sub("", html)
        html = SCRIPT.sub(lambda found: found[0] if found[1] in SCRIPTS else "", html)
        html = FORM.sub(NO_FORM.format(f"{to_root}{EXPLANATION}#{Reason.FILTERS}"), html)
        html = HEAD_LINK.sub(self._head_link, html)
        html = DOWNLOAD.sub(lambda found: found[0] if self._is_published(found[1]) else "", html)
        html = RECEIPT.sub(self._receipt, html)
        return self.text(LINK.sub(link, html), markup=True), links

    def text(self, text: str, *, markup: bool = False) -> str:
        """Return a text with the addresses of this site instead of those of the server."""

        def address(found: re.Match[str]) -> str:
            server = unescape(found[1] or "/")
            end = server[-1] if server.endswith((".", ",")) else ""  # of a sentence
            target = self.addresses.file_of(server.removesuffix(end))
            path = f"{EXPLANATION}#{target}" if isinstance(target, Reason) else target
            return f"{self.base_url}{path}{end}"

        return (ADDRESS_IN_MARKUP if markup else ADDRESS).sub(address, text)

    def _head_link(self, found: re.Match[str]) -> str:
        """Return a link of the head: the permanent address if the site has one, and published files."""
        is_permanent = found[1] != "alternate"
        stays = self.base_url != "/" if is_permanent else self._is_published(found[2])
        return found[0] if stays else ""

    def _receipt(self, found: re.Match[str]) -> str:
        """Return the menu with the link alone, if the receipt is published."""
        return (
            f'{found[1]}<div class="tool">{found[2]}</div></details>'
            if self._is_published(found[3])
            else ""
        )

    def _is_published(self, link: str) -> bool:
        return not isinstance(self.addresses.file_of(unescape(link)), Reason)
