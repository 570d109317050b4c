"""Parts of pages in frames of other sites: complete, small, without cookies; other routes refuse frames."""

import io
import re
from html import unescape
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from schema.http.cross_site import COOKIE_NAME
from schema.pages.registry import PAGES
from schema.pages.site.static_files import static_files
from schema.services import Access
from tests.support.api import Api
from tests.support.documents import block
from tests.support.libraries import pypdf

MAX_BYTES = 60_000
FIXED = "valid=2026-11-20&position=10755"
CHECK = "check?commodity=tungsten&hsCode=284990&origin=CN&destination=DE&valid=2025-12-01"
ANSWERS = (
    "commodities/gallium",
    "commodities/gallium/dependence",
    "controls/cn-mofcom-2024-46",
    "places/CN",
    "places/VU",
    CHECK,
    "check?hsCode=010121&origin=BR&destination=AR&valid=2025-12-01",
)
CHARTS = (
    "",
    "?map=share&commodity=cobalt",
    "places",
    "controls",
    "controls/cn-mofcom-2024-46",
    "commodities/gallium",
    "commodities/gallium/dependence",
    "figures/rare_earths/CN/production/mine/2023",
    "places/CN",
    CHECK,
)
OTHER_CHARTS = (
    "others/places/CN",
    "producers/commodities/gallium",
    "clauses/commodities/gallium",
    "reliance/commodities/gallium/dependence",
    "prices-1/commodities/gallium/dependence",
)
EMBEDS = [
    *(f"/embed/answer/{path}" for path in ANSWERS),
    *(f"/embed/chart/{path}" for path in CHARTS),
    *(f"/embed/{path}" for path in OTHER_CHARTS),
]
DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"


def text_of(html: str) -> str:
    """Return the text of a document."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.mark.parametrize("path", EMBEDS)
async def test_an_embed_says_where_it_is_from_and_how_complete_it_is(
    corpus: Api, path: str
) -> None:
    response = await corpus.request("GET", path)
    assert response.status_code == 200, response.text
    text = text_of(response.text.partition("<footer>")[2])
    assert "As of " in text
    assert "as recorded at position" in text
    assert re.search(r"Sources?: ", text)
    assert "CC BY 4.0" in text
    assert "Permanent link" in text
    assert re.search(r"read|complete|Completeness|missing", text.partition("As of")[0])
    assert response.text.count("<h1>") == 1


@pytest.mark.parametrize(
    ("path", "mark"),
    [
        ("controls/cn-mofcom-2024-46?", "by their own terms (not confirmed)"),
        ("commodities/graphite?", "by its own terms since 28 November 2026 (not confirmed)"),
        ("places/CN?", "by their own terms"),
        ("check?commodity=gallium&form=METAL&origin=CN&destination=US&", "Not confirmed"),
    ],
)
async def test_an_embedded_answer_marks_statuses_that_are_not_confirmed(
    corpus: Api, path: str, mark: str
) -> None:
    response = await corpus.request("GET", f"/embed/answer/{path}valid=2026-12-01")
    assert mark in text_of(response.text).replace("\xa0", " ")


@pytest.mark.parametrize("path", EMBEDS)
async def test_an_embed_is_light_with_everything_that_it_loads(corpus: Api, path: str) -> None:
    response = await corpus.request("GET", path, headers={"Accept-Encoding": "identity"})
    loaded = re.findall(r'(?:src|href)="/static/[^/]+/([^"]+)"', response.text)
    assert sorted(loaded) == ["embed.css", "embed.js"]
    files = sum(len(static_files()[name]) for name in loaded)
    assert len(response.content) + files < MAX_BYTES


@pytest.mark.parametrize("first", ["200", "100", "9" * 3000])
async def test_an_embed_of_a_long_list_is_light(corpus: Api, first: str) -> None:
    response = await corpus.request("GET", f"/embed/chart/controls?first={first}")
    assert response.status_code == 200
    files = sum(len(static_files()[name]) for name in ("embed.css", "embed.js"))
    assert len(response.content) + files < MAX_BYTES


async def test_the_code_of_an_embed_of_a_long_list_names_the_short_one(corpus: Api) -> None:
    page = await corpus.request("GET", "/controls?first=100", headers={"Accept": "text/html"})
    code = page.text.partition('id="embed"')[2].partition("</div>")[0]
    assert "first=20" in code
    assert "first=100" not in code


@pytest.mark.parametrize("path", ["/embed/answer/commodities/gallium", "/embed/answer/check"])
async def test_an_embed_and_its_error_may_be_framed_and_set_no_cookie(
    corpus: Api, path: str
) -> None:
    response = await corpus.request("GET", path)
    assert "frame-ancestors *" in response.headers["content-security-policy"]
    assert "'unsafe-inline'" not in response.headers["content-security-policy"]
    assert "set-cookie" not in response.headers
    assert "x-frame-options" not in response.headers


async def test_no_other_route_may_be_framed(corpus: Api) -> None:
    pages = [re.sub(r"\{[^}]*\}", "x", page.path) for page in PAGES]
    for path in (*pages, "/embed", "/embed/", "/graphql", "/docs", "/sign-in", "/nothing"):
        response = await corpus.request("GET", path, headers={"Accept": "text/html"})
        policy = response.headers.get("content-security-policy", "")
        assert "frame-ancestors *" not in policy, path
        assert "frame-ancestors 'none'" in policy or path not in pages, path


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/embed/chart/search?q=gallium", 404, "this page has none"),
        ("/embed/table/places/CN", 404, "expected one of answer, chart, others"),
        ("/embed/answer/check", 404, "this page has none"),
        ("/embed/answer/nothing", 404, "No page at /nothing"),
        ("/embed/answer/commodities/galium", 400, "did you mean"),
        ("/embed/answer/commodities/gallium?nothing=1", 400, "nothing"),
        ("/embed/answer/commodities/gallium?position=-1", 400, "position"),
    ],
)
async def test_an_embed_that_is_none_says_why(
    corpus: Api, path: str, status: int, word: str
) -> None:
    response = await corpus.request("GET", path)
    assert response.status_code == status, response.text
    assert word in text_of(response.text)


async def test_a_pinned_embed_never_changes_and_a_live_one_is_checked(corpus: Api) -> None:
    pinned = await corpus.request("GET", f"/embed/answer/commodities/gallium?{FIXED}")
    live = await corpus.request("GET", "/embed/answer/commodities/gallium")
    assert "immutable" in pinned.headers["cache-control"]
    assert "20 Nov 2026" in text_of(pinned.text)
    assert "position 10,755" in text_of(pinned.text)
    assert "This state does not change." in text_of(pinned.text)
    assert "no-cache" in live.headers["cache-control"]
    tag = {"If-None-Match": live.headers["etag"]}
    again = await corpus.request("GET", "/embed/answer/commodities/gallium", headers=tag)
    assert again.status_code == 304


async def test_a_check_repeats_that_it_is_not_advice(corpus: Api) -> None:
    for part in ("answer", "chart"):
        response = await corpus.request("GET", f"/embed/{part}/{CHECK}")
        text = text_of(response.text)
        assert "Information, not legal advice" in text
        assert "Export from China: " in text
        assert "A missing rule does not mean that none exists" in text


async def test_an_embed_ignores_the_cookie_of_a_signed_in_reader(corpus: Api) -> None:
    closed = Api(corpus.services, Access(token="a-token", read_open=False))
    cookie = {"Cookie": f"{COOKIE_NAME}=YS10b2tlbg"}
    assert (await closed.request("GET", "/commodities/gallium", headers=cookie)).status_code == 200
    for path in ("/embed/answer/commodities/gallium", "/oembed?url=http://localhost/places/CN"):
        assert (await closed.request("GET", path, headers=cookie)).status_code == 401
        bearer = {"Authorization": "Bearer a-token"}
        assert (await closed.request("GET", path, headers=bearer)).status_code == 200


async def test_every_image_has_an_embed_and_every_embed_stands_on_its_page(corpus: Api) -> None:
    for path in CHARTS:
        page = await corpus.request("GET", f"/{path}", headers={"Accept": "text/html"})
        code = unescape(unescape(page.text.partition('id="embed"')[2].partition("</div>")[0]))
        assert f'src="http://localhost/embed/chart/{path}' in code
        assert "position=" in code
        assert 'type="application/json+oembed"' in page.text


async def test_the_code_of_the_documentation_is_that_of_a_page(corpus: Api) -> None:
    page = await corpus.request("GET", "/commodities/gallium", headers={"Accept": "text/html"})
    documented = " ".join(block("docs/embeds.md", "html", "iframe").split())
    documented = documented.replace("https://tracker.example.org", "http://localhost")
    codes = re.findall(r"<pre[^>]*Embed code[^>]*>(.*?)</pre>", page.text)
    assert re.sub(r"\d{3}", "", documented) in [
        re.sub(r"\d{3}", "", unescape(one)) for one in codes
    ]
    [url] = re.findall(
        r"http://127.0.0.1:8000(/oembed\S*)'", block("docs/embeds.md", "sh", "oembed")
    )
    answer = await corpus.request("GET", url.replace("http://127.0.0.1:8000", "http://localhost"))
    assert answer.json()["width"] == 600


async def test_oembed_describes_a_page_and_a_frame(corpus: Api) -> None:
    for path in ("/commodities/gallium", "/embed/answer/commodities/gallium"):
        url = quote(f"http://localhost{path}", safe="")
        response = await corpus.request("GET", f"/oembed?url={url}&maxwidth=400&maxheight=300")
        described = response.json()
        assert response.headers["content-type"].startswith("application/json")
        assert (described["version"], described["type"]) == ("1.0", "rich")
        assert (described["width"], described["height"]) == (400, 300)
        assert 'src="http://localhost/embed/answer/commodities/gallium"' in described["html"]
        assert described["title"] == "Gallium"
        assert described["author_name"] == "Critical-minerals policy tracker"
        assert described["author_url"] == "http://localhost/about"


async def test_a_frame_cites_the_sources_of_its_own_statements(corpus: Api) -> None:
    path = f"/embed/{{}}/commodities/gallium?{FIXED}"
    answer, chart = [
        (await corpus.request("GET", path.format(part))).text for part in ("answer", "chart")
    ]
    of_answer, of_chart = [
        re.findall(r"<p>(Sources?: .*?)\. <a", html)[0] for html in (answer, chart)
    ]
    assert of_chart == "Source: US Geological Survey"
    assert of_answer.startswith("Sources: ")
    assert "US Geological Survey" in of_answer
    assert of_answer.count("; ") >= 1


async def test_oembed_keeps_the_moment_and_escapes_the_address(corpus: Api) -> None:
    url = quote(f"http://localhost/?{FIXED}&map=share&commodity=cobalt", safe="")
    html = (await corpus.request("GET", f"/oembed?url={url}")).json()["html"]
    [source] = re.findall(r'src="([^"]*)"', html)
    assert unescape(source).startswith("http://localhost/embed/chart/?map=share")
    assert FIXED in unescape(source)
    assert "&valid" not in source.replace("&amp;", "")


@pytest.mark.parametrize(
    ("query", "status", "code", "field"),
    [
        ("", 400, "INVALID_INPUT", "url"),
        ("url=https://example.org/commodities/gallium", 404, "NOT_FOUND", "url"),
        ("url=http://localhost/about", 404, "NOT_FOUND", "part"),
        ("url=http://localhost/graphql", 404, "NOT_FOUND", "page"),
        ("url=http://localhost/places/CN&format=xml", 501, "FORMAT_NOT_OFFERED", "format"),
        ("url=http://localhost/places/CN&maxwidth=-1", 400, "INVALID_INPUT", "maxwidth"),
        (f"url=http://localhost/places/CN&maxwidth={'9' * 5000}", 400, "INVALID_INPUT", "maxwidth"),
        ("url=http://localhost/places/CN&maxheight=0", 400, "INVALID_INPUT", "maxheight"),
        ("url=http://localhost/places/CN&width=1", 400, "BAD_REQUEST", "width"),
    ],
)
async def test_oembed_refuses_other_addresses_and_formats(
    corpus: Api, query: str, status: int, code: str, field: str
) -> None:
    response = await corpus.request("GET", f"/oembed?{query}")
    [error] = response.json()["errors"]
    assert response.status_code == status
    assert error["extensions"]["code"] == code
    assert error["extensions"]["path"] == [field]


async def test_oembed_says_that_a_page_has_nothing_to_frame(corpus: Api) -> None:
    response = await corpus.request("GET", "/oembed?url=http://localhost/search?q=x")
    [error] = response.json()["errors"]
    assert error["message"] == "expected a page with an answer or a chart: this page has none"


async def test_pictures_have_title_source_address_and_licence_in_their_fields(corpus: Api) -> None:
    path = f"/commodities/gallium.{{}}?{FIXED}"
    address = f"http://localhost/commodities/gallium?{FIXED}"
    svg = await corpus.request("GET", path.format("svg"))
    image = ElementTree.fromstring(svg.text)
    assert image.findtext(f".//{DUBLIN_CORE}identifier") == address
    assert image.findtext(f".//{DUBLIN_CORE}source") == "US Geological Survey"
    png = (await corpus.request("GET", path.format("png"))).content
    texts = dict(re.findall(rb"iTXt(Title|Author|Description|Copyright)\0{5}([^\0]*)", png))
    assert texts[b"Title"].startswith(
        b"World primary production of gallium rose from 434,000 kg in 2021"
    )
    assert texts[b"Author"].startswith(b"Critical-minerals policy tracker")
    assert texts[b"Description"].startswith(b"Source: US Geological Survey. ")
    assert address.encode() in texts[b"Description"]
    assert b"CC BY 4.0" in texts[b"Copyright"]
    assert b"<xmpRights:WebStatement>https://creativecommons.org/licenses/by/4.0/" in png
    pdf = (await corpus.request("GET", path.format("pdf"))).content
    info = pypdf.PdfReader(io.BytesIO(pdf), strict=True).metadata
    assert info is not None
    assert info.title.startswith("World primary production of gallium rose from 434,000 kg in 2021")
    assert info.author == "Critical-minerals policy tracker"
    assert info.subject is not None
    assert info.subject.startswith("Source: US Geological Survey. ")
    assert info.subject.endswith(address)
