"""Sitemaps, rules for crawlers, search descriptions and linked data in pages."""

import csv
import json
import re
from datetime import date, datetime
from decimal import Decimal
from html import unescape
from typing import Any

import httpx2
import pytest
from lxml import etree
from protego import Protego

from deploy.config.access import access
from deploy.config.table import WrongSetting
from schema.metadata.linked_data import script
from schema.metadata.sitemap import Sitemaps, sort_paths
from schema.pages.registry import PAGES
from schema.services import Access, Services
from tests.support.api import Api
from tracker.clock import now

SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
RULES = f"""<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="{SPACE}"
    xmlns="{SPACE}" elementFormDefault="qualified">
  <xsd:simpleType name="time"><xsd:union><xsd:simpleType><xsd:restriction base="xsd:date"/>
    </xsd:simpleType><xsd:simpleType><xsd:restriction base="xsd:dateTime"/></xsd:simpleType>
  </xsd:union></xsd:simpleType>
  <xsd:complexType name="entry"><xsd:all>
    <xsd:element name="loc"><xsd:simpleType><xsd:restriction base="xsd:anyURI">
      <xsd:minLength value="12"/><xsd:maxLength value="2048"/></xsd:restriction></xsd:simpleType>
    </xsd:element>
    <xsd:element name="lastmod" type="time" minOccurs="0"/></xsd:all></xsd:complexType>
  <xsd:element name="urlset"><xsd:complexType><xsd:sequence>
    <xsd:element name="url" type="entry" maxOccurs="50000"/></xsd:sequence></xsd:complexType>
  </xsd:element>
  <xsd:element name="sitemapindex"><xsd:complexType><xsd:sequence>
    <xsd:element name="sitemap" type="entry" maxOccurs="50000"/></xsd:sequence></xsd:complexType>
  </xsd:element>
</xsd:schema>"""
"""The rules of the protocol for the elements that are used here."""
MAX_BYTES = 50 * 1024 * 1024
LINKED_DATA = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
HTML = {"Accept": "text/html"}


async def entries(client: httpx2.AsyncClient, path: str) -> dict[str, str]:
    """Return the addresses of a sitemap with their times, checked by the rules."""
    response = await client.get(path)
    assert response.status_code == 200, response.text
    assert len(response.content) < MAX_BYTES
    document = etree.fromstring(response.content)
    etree.XMLSchema(etree.fromstring(RULES.encode())).assertValid(document)
    return {
        one.findtext(f"{{{SPACE}}}loc"): one.findtext(f"{{{SPACE}}}lastmod") or ""
        for one in document
    }


async def all_entries(client: httpx2.AsyncClient) -> dict[str, str]:
    """Return the addresses of all parts."""
    every: dict[str, str] = {}
    for part in await entries(client, "/sitemap.xml"):
        of_part = await entries(client, part)
        assert of_part
        assert not every.keys() & of_part.keys()
        every |= of_part
    return every


async def test_the_sitemaps_list_every_entity_with_its_last_event(
    client: httpx2.AsyncClient,
) -> None:
    every = await all_entries(client)
    origin = str(client.base_url).rstrip("/")
    lists = "alliances announcements exportControls figures"
    fields = " ".join(f"{name}(first: 1) {{ totalCount }}" for name in lists.split())
    query = f'{{ asOf(validAt: "9999-01-01") {{ {fields} }} }}'
    state = (await client.post("/graphql", json={"query": query})).json()["data"]["asOf"]
    for name, path in zip(
        lists.split(), ["alliances", "announcements", "controls", "figures"], strict=True
    ):
        listed = [url for url in every if url.startswith(f"{origin}/{path}/")]
        assert len(listed) >= state[name]["totalCount"] > 0, name
    key = "cn-mofcom-2024-46"
    query = f'{{ events(entity: "export-control/{key}", first: 200) {{ nodes {{ recordedAt }} }} }}'
    nodes = (await client.post("/graphql", json={"query": query})).json()["data"]["events"]["nodes"]
    last = max(node["recordedAt"] for node in nodes)
    said = every[f"{origin}/controls/{key}"]
    assert datetime.fromisoformat(said) == datetime.fromisoformat(last).replace(microsecond=0)


async def test_listed_pages_exist_and_name_themselves(client: httpx2.AsyncClient) -> None:
    every = [*await all_entries(client)]
    step = max(1, len(every) // 15)
    for url in [*every[:10], *every[10::step]]:
        response = await client.get(url, headers=HTML)
        assert response.status_code == 200, url
        [canonical] = re.findall(r'<link rel="canonical" href="([^"]*)">', response.text)
        assert str(httpx2.URL(url).join(unescape(canonical))) == str(httpx2.URL(url))


async def test_commodities_and_places_without_events_are_left_out(
    client: httpx2.AsyncClient,
) -> None:
    pages = await entries(client, "/sitemaps/pages-1.xml")
    origin = str(client.base_url).rstrip("/")
    assert f"{origin}/commodities/gallium" in pages
    assert f"{origin}/commodities/rare_earths/dependence" in pages
    assert f"{origin}/places/CN" in pages
    assert f"{origin}/places/YUCS" not in pages


@pytest.mark.parametrize(
    "part", ["controls-2.xml", "controls-0.xml", "events-1.xml", "pages-2.xml", "x", "controls-1"]
)
async def test_an_unknown_part_of_the_sitemap_is_404(client: httpx2.AsyncClient, part: str) -> None:
    response = await client.get(f"/sitemaps/{part}")
    assert response.status_code == 404
    assert response.json()["errors"][0]["extensions"]["path"] == ["part"]


async def test_parts_divide_the_entities_without_loss(
    services: Services, monkeypatch: pytest.MonkeyPatch, client: httpx2.AsyncClient
) -> None:
    whole = await entries(client, "/sitemaps/controls-1.xml")
    monkeypatch.setattr("schema.metadata.sitemap.PART_SIZE", 7)
    small = Sitemaps(
        services.as_of.last_events,
        sort_paths([page.path for page in PAGES], {"export-control": "controls"}),
    )
    origin = str(client.base_url).rstrip("/")
    numbers = re.findall(r"controls-(\d+)\.xml", await small.index(origin))
    assert len(numbers) == -(-len(whole) // 7)
    found: list[str] = []
    for number in numbers:
        text = await small.part(origin, f"controls-{number}.xml")
        found += re.findall(r"<loc>(.*?)</loc>", text)
    assert sorted(map(unescape, found)) == sorted(whole)


async def test_crawlers_read_present_pages_and_images_only(
    client: httpx2.AsyncClient, services: Services
) -> None:
    text = (await client.get("/robots.txt")).text
    rules = Protego.parse(text)
    origin = str(client.base_url).rstrip("/")
    assert [*rules.sitemaps] == [f"{origin}/sitemap.xml"]
    for path, allowed in {
        "/": True,
        "/commodities/gallium": True,
        "/controls?issuer=CN": True,
        "/tables": True,
        "/commodities/gallium.png?valid=2026-11-20&position=10755": True,
        "/commodities/gallium?valid=2026-11-20": False,
        "/controls?issuer=CN&position=12": False,
        "/graphql?query={head}": False,
        "/record/foundAlliance": False,
        "/embed/answer/places/CN": False,
    }.items():
        assert rules.can_fetch(origin + path, "any") == allowed, path
    closed = Api(services, Access(token="a-token", read_open=False))
    private = Protego.parse((await closed.request("GET", "/robots.txt")).text)
    assert not private.can_fetch("http://localhost/commodities", "any")


async def test_browsers_find_the_search(client: httpx2.AsyncClient) -> None:
    response = await client.get("/opensearch.xml")
    assert response.headers["content-type"].startswith("application/opensearchdescription+xml")
    document = etree.fromstring(response.content)
    space = "{http://a9.com/-/spec/opensearch/1.1/}"
    assert len(document.findtext(f"{space}ShortName")) <= 17
    templates = {one.get("type"): one.get("template") for one in document.iter(f"{space}Url")}
    found = await client.get(
        templates["text/html"].replace("{searchTerms}", "gallium"), headers=HTML
    )
    assert "Gallium" in found.text
    assert 'type="application/opensearchdescription+xml"' in found.text


async def linked(client: httpx2.AsyncClient, path: str) -> dict[str, Any]:
    """Return the linked data of a page."""
    response = await client.get(path, headers=HTML)
    [text] = LINKED_DATA.findall(response.text)
    data: dict[str, Any] = json.loads(text)
    assert data["@context"] == "https://schema.org/"
    return data


async def test_the_overview_names_the_catalogue_whose_tables_are_on_their_page(
    client: httpx2.AsyncClient,
) -> None:
    names = {one["name"] for one in (await client.get("/tables")).json()["tables"]}
    overview, whole = await linked(client, "/"), await linked(client, "/tables")
    assert overview["@type"] == whole["@type"] == "DataCatalog"
    assert overview["url"] == whole["url"]
    assert "dataset" not in overview
    assert {one["@id"].partition("#")[2] for one in whole["dataset"]} == names
    for dataset in whole["dataset"]:
        assert 50 <= len(dataset["description"]) <= 5000
        assert dataset["license"] == "https://creativecommons.org/licenses/by/4.0/"
        assert "distribution" in dataset


async def test_a_commodity_is_a_dataset_about_a_thing_of_wikidata(
    client: httpx2.AsyncClient,
) -> None:
    data = await linked(client, "/commodities/gallium")
    assert data["@type"] == "Dataset"
    assert data["about"]["sameAs"] == "http://www.wikidata.org/entity/Q861"
    codes = {(one["propertyID"], one["value"]) for one in data["about"]["identifier"]}
    assert ("HS 2022", "811292") in codes
    assert {"@type": "CreativeWork", "name": "US Geological Survey"} in data["isBasedOn"]
    kinds = {one["name"]: one["contentUrl"] for one in data["distribution"]}
    assert (await client.get(kinds["JSON"])).json()["data"]["asOf"]
    assert (await client.get(kinds["CSV"])).text.startswith("# table: production")
    assert "sameAs" not in (await linked(client, "/commodities/rare_earths"))["about"]


async def test_a_place_has_its_codes(client: httpx2.AsyncClient) -> None:
    about = (await linked(client, "/places/CN"))["about"]
    assert about["sameAs"] == "http://www.wikidata.org/entity/Q148"
    assert {one["propertyID"]: one["value"] for one in about["identifier"]} == {
        "ISO 3166-1 alpha-2": "CN",
        "ISO 3166-1 alpha-3": "CHN",
        "ISO 3166-1 numeric": "156",
    }
    assert "identifier" not in (await linked(client, "/places/EU"))["about"]


async def test_hostile_text_stays_in_its_script() -> None:
    text = "</script><script>alert(1)</script>"
    written = script({"name": text})
    assert "<" not in written
    assert json.loads(written)["name"] == text


@pytest.mark.parametrize("path", ["/commodities/gallium", "/places/CN", "/"])
async def test_a_page_before_the_first_event_has_no_time_of_one(
    client: httpx2.AsyncClient, path: str
) -> None:
    for known, fields in (("?known=2020-01-01", set()), ("", {"dateModified"})):
        response = await client.get(f"{path}{known}", headers=HTML)
        [text] = LINKED_DATA.findall(response.text)
        assert json.loads(text).keys() & {"dateModified"} == fields
    response = await client.get("/commodities/gallium?known=2020-01-01", headers=HTML)
    assert '"version"' not in "".join(LINKED_DATA.findall(response.text))


LINK = re.compile(r'<([^>]+)>; rel="([^"]+)"')


async def test_a_page_names_its_permanent_address_the_catalogue_and_its_links_in_a_header(
    client: httpx2.AsyncClient,
) -> None:
    page = await client.get("/commodities/gallium?valid=2025-11-20", headers=HTML)
    links = {relation: address for address, relation in LINK.findall(page.headers["link"])}
    assert [*links] == ["cite-as", "describedby", "license", "linkset"]
    cited = await client.get(links["cite-as"], headers=HTML)
    assert "immutable" in cited.headers["cache-control"]
    assert LINK.findall(cited.headers["link"])[0] == (links["cite-as"], "cite-as")
    catalogue = await client.get(links["describedby"])
    assert catalogue.headers["content-type"] == "application/ld+json"
    assert "link" not in (await client.get("/docs", headers=HTML)).headers
    response = await client.get(links["linkset"])
    assert response.headers["content-type"] == "application/linkset+json"
    [of] = response.json()["linkset"]
    assert of["anchor"].endswith("/commodities/gallium?valid=2025-11-20")
    assert (of["cite-as"], of["license"]) == (
        [{"href": links["cite-as"]}],
        [{"href": links["license"]}],
    )
    for file in of["item"]:
        answer = await client.get(file["href"])
        assert answer.headers["content-type"].partition(";")[0] == file["type"].partition(";")[0]
        assert "position=" in file["href"]


async def test_the_guide_for_language_models_has_addresses_that_answer(
    client: httpx2.AsyncClient,
) -> None:
    response = await client.get("/llms.txt")
    assert response.text.startswith("# Critical-minerals policy tracker\n\n> Export controls, ")
    addresses = re.findall(r"^- \[[^]]+\]\((\S+)\): ", response.text, re.MULTILINE)
    assert len(addresses) > 10
    for address in addresses:
        assert (await client.get(address, headers=HTML)).status_code in (200, 400, 405), address


async def test_the_contact_for_vulnerabilities_is_the_one_of_the_operator(
    services: Services,
) -> None:
    contact = "mailto:security@minerals.example.org"
    response = await Api(services, Access(security_contact=contact)).request(
        "GET", "/.well-known/security.txt"
    )
    fields = dict(line.split(": ", 1) for line in response.text.splitlines())
    assert response.headers["content-type"].startswith("text/plain")
    assert fields["Contact"] == contact
    days = (datetime.fromisoformat(fields["Expires"]) - now()).days
    assert 150 < days < 365
    missing = await Api(services).request("GET", "/.well-known/security.txt")
    assert (missing.status_code, "TRACKER_SECURITY_CONTACT" in missing.text) == (404, True)
    with pytest.raises(WrongSetting, match="mailto:"):
        access({"TRACKER_SECURITY_CONTACT": "security@minerals.example.org"})


PARSERS: dict[str, Any] = {
    "boolean": lambda text: {"true": True, "false": False}[text],
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "integer": int,
    "number": Decimal,
    "string": str,
}


async def test_each_cell_of_the_package_has_the_type_of_its_field(
    client: httpx2.AsyncClient,
) -> None:
    package = (await client.get("/datapackage.json")).json()
    assert package["$schema"].endswith("/2.0/datapackage.json")
    assert re.fullmatch(r"[a-z0-9.-]+", package["name"])
    resources = {resource["name"]: resource for resource in package["resources"]}
    assert {"controls", "clauses", "memberships"} <= resources.keys()
    for name in ("clauses", "memberships", "coverages"):
        header, *rows = csv.reader((await client.get(resources[name]["path"])).text.splitlines())
        fields = resources[name]["schema"]["fields"]
        assert header == [field["name"] for field in fields]
        assert rows
        for row in rows[:200]:
            for field, cell in zip(fields, row, strict=True):
                assert not cell or PARSERS[field["type"]](cell) is not None


@pytest.mark.parametrize(
    "path", ["/sitemap.xml", "/catalog.jsonld", "/croissant.json", "/datapackage.json"]
)
async def test_an_address_without_parameters_says_so(client: httpx2.AsyncClient, path: str) -> None:
    response = await client.get(f"{path}?x=1")
    [error] = response.json()["errors"]
    assert response.status_code == 400
    assert error["message"] == "'x' is not a parameter: expected none"


@pytest.mark.parametrize("host", ["203.0.113.7", "203.0.113.7:81", "[2001:db8::1]", "127.0.0.1"])
async def test_a_server_with_a_name_repeats_no_address_in_its_links(
    services: Services, host: str
) -> None:
    api = Api(services, Access(hosts=frozenset({"minerals.example.org"})))
    for path in ("/sitemap.xml", "/robots.txt", "/opensearch.xml", "/catalog.jsonld", "/about"):
        response = await api.request("GET", path, headers={"Host": host, **HTML})
        assert response.status_code == 200
        assert host not in response.text, path
        assert "http://minerals.example.org" in response.text, path
