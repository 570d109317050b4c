"""The page of a check answers each kind of question of the corpus by its links or fields."""

from datetime import date
from random import Random
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from markupsafe import escape

from schema.pages.check.questions import FIELDS
from tests.pages.test_check_page import html_of, replies
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.shipped_controls import check_on, controls_on
from tracker.domain.catalogue.commodities import commodities
from tracker.domain.catalogue.hs_concordance import goods_by_code
from tracker.domain.catalogue.places import Place
from tracker.domain.shipments.shipment import NOT_GOODS, Shipment

DAY = date(2026, 11, 29)
SAMPLE = 250
"""Random shipments whose questions are looked through for further kinds."""


class Asking(NamedTuple):
    """A shipment of today that asks a kind of question, and the fields that answer it."""

    shipment: str
    fields: str = ""


GALLIUM = "commodity=gallium&origin=CN&destination=US"
OTHER_FIRMS = "exporter=Other+Ltd&importer=Other+Ltd&endUser=Other+Ltd"
KINDS = {
    "code codeOf": Asking("hsCode=81129210&origin=CN", "codeOf=US"),
    "commodity commodity": Asking(
        "commodity=rare_earths&origin=CN&destination=US", "commodity=dysprosium"
    ),
    "content contents": Asking("commodity=gallium&origin=JP&destination=US", "contents=none"),
    "covers answers": Asking("commodity=graphite&origin=CN&destination=US"),
    "destination destination": Asking(
        "commodity=gallium&origin=CN&destination=EU", "destination=FR"
    ),
    "dual-use-items answers": Asking("commodity=superhard_materials&origin=AR&destination=US"),
    "end-use endUse": Asking(GALLIUM, "endUse=military+users+and+military+uses"),
    "end-use answers": Asking(f"{GALLIUM}&endUse=Jewellery"),
    "exempt answers": Asking("commodity=tungsten&origin=CN&destination=US"),
    "exempt codeOf": Asking("hsCode=81129210&origin=BR&destination=US", "codeOf=US"),
    "exempt hsCode": Asking(
        "commodity=gallium&origin=BR&destination=US", "hsCode=81129210&codeOf=US"
    ),
    "exemption answers": Asking("commodity=aluminium&origin=BR&destination=US"),
    "exportCountry exportCountry": Asking("commodity=silicon&destination=DE", "exportCountry=KR"),
    "exporter exporter": Asking("commodity=cobalt&origin=CD&destination=CN", "exporter=Other+Ltd"),
    "firm endUser": Asking(f"{GALLIUM}&answers=CN/listed-firm:yes", OTHER_FIRMS),
    "form form": Asking("commodity=lithium&origin=ZW&destination=CN", "form=COMPOUND"),
    "goods commodity": Asking("hsCode=811299&origin=CN&destination=DE", "commodity=indium"),
    "goods hsCode": Asking(f"{GALLIUM}&hsCode=250410", "hsCode=811292"),
    "group answers": Asking("commodity=battery_materials&origin=ZW&destination=US"),
    "item answers": Asking("commodity=gallium&origin=CN&destination=DE"),
    "listed-firm endUser": Asking(GALLIUM, OTHER_FIRMS),
    "maker answers": Asking("hsCode=76071119&codeOf=EU&origin=CN&destination=DE"),
    "origin origin": Asking("commodity=gallium&destination=US", "origin=CN"),
    "preference preference": Asking(
        "commodity=tungsten&origin=CA&destination=US", "preference=none"
    ),
    "quota answers": Asking("commodity=minerals&origin=CN&destination=DE"),
    "scope answers": Asking("commodity=gallium&origin=JP&destination=US&contents=gallium:CN:50"),
    "transit answers": Asking("commodity=gallium&origin=JP&destination=US&route=CN"),
    "export origin": Asking("commodity=rhenium&destination=PE", "origin=CL"),
    "import destination": Asking("commodity=rhenium&origin=CL", "destination=PE"),
}
"""Kinds of questions with their field, each with a shipment that asks one."""


def kind_of(id: str, field: str) -> str:
    """Return the subject of a question without the clause and number, and the field that answers it."""
    first, *parts = id.split("/")
    return f"{parts[0] if first.isupper() or len(parts) == 1 else parts[1]} {field}"


def test_each_kind_of_question_of_random_shipments_has_a_shipment_here() -> None:
    draw = Random(1)
    issuers = sorted({Place(control.issuer) for control in controls_on(DAY)})
    goods = sorted({*commodities()} - NOT_GOODS)
    codes = sorted({code.code for code, _ in goods_by_code(None)})
    asked = set[str]()
    for _ in range(SAMPLE):
        of = {"commodity": draw.choice(goods)} if draw.random() < 0.8 else {}
        shipment = Shipment(
            **(of or {"hs_code": draw.choice(codes) + draw.choice(["", "10"])}),
            origin=draw.choice([None, Place("CN"), *issuers]),
            destination=draw.choice([None, Place("US"), Place("DE"), *issuers]),
        )
        questions = check_on(DAY, shipment).open_questions
        asked |= {kind_of(question.id, question.field) for question, _ in questions}
    assert asked <= {*KINDS}
    assert len(asked) > 15


@each_case(("kind", "of"), KINDS.items())
async def test_a_link_or_a_field_settles_each_kind_of_question(
    corpus: Api, kind: str, of: Asking
) -> None:
    address = f"/check?{of.shipment}&valid={DAY}"
    before, html = await checked(corpus, address), await html_of(corpus, address)
    asked = [one for one in questions_of(before) if kind_of(one["id"], one["field"]) == kind]
    assert asked
    text, field = asked[0]["text"], asked[0]["field"]
    results = [await checked(corpus, href) for href in replies(html, text).values()]
    if of.fields:
        line = html.partition(f"<b>{escape(text)}</b>")[2].partition("</span>\n")[0]
        assert f'<a href="#f-{field}">' in line
        assert f'id="f-{field}" name="{field}"' in html
        stated = dict(parse_qsl(f"{of.shipment}&{of.fields}")) | {"valid": str(DAY)}
        results.append(await checked(corpus, f"/check?{urlencode(stated)}"))
    assert len(results) >= (2 if field == "answers" else 1)
    for after in results:
        assert text not in [one["text"] for one in questions_of(after)]
    answers = [rules_of(after) for after in (before, *results)]
    assert len({*map(repr, answers)}) > 1
    assert len(results) == 1 or answers[1] != answers[2]


async def checked(corpus: Api, address: str) -> dict[str, Any]:
    """Return the data of a page of a check."""
    response = await corpus.request("GET", address.replace("/check?", "/check.json?"))
    assert response.status_code == 200, response.text
    data: dict[str, Any] = response.json()["data"]["asOf"]["shipment"]
    return data


def questions_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the questions of a check, with those on legs."""
    return [*data["openQuestions"], *filter(None, (one["question"] for one in data["verdicts"]))]


def rules_of(data: dict[str, Any]) -> list[Any]:
    """Return the rules and the duties, with the conditions and the sum."""
    rules = [(one["obligation"], one["match"], one["clause"]) for one in data["verdicts"]]
    known = [(text, match, of and (of["reasons"], of["exceptions"])) for text, match, of in rules]
    return [*known, data["importDuties"]["statement"], data["exportDuties"]["statement"]]


async def test_remarks_and_assumptions_link_the_fields_that_they_name(corpus: Api) -> None:
    html = await html_of(
        corpus, f"/check?hsCode=26131000&codeOf=US&origin=CL&destination=US&valid={DAY}"
    )
    for field in ("preference", "value", "weight", "metalWeight"):
        assert f'<a href="#f-{field}">{FIELDS[field]}</a>' in html
    assert "`" not in html
    html = await html_of(corpus, f"/check?commodity=graphite&origin=CN&destination=DE&valid={DAY}")
    assert f'State <a href="#f-covers">{FIELDS["covers"]}</a> to check them.' in html
