"""The page that checks a shipment: the answer first, questions as links, problems beside their fields."""

import csv
import io
import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.pages.check.questions import (
    FIELDS,
    asked_questions,
    given_answers,
    key_of,
    possible_rules,
)
from schema.pages.check.sentences import answer
from schema.pages.site.address import Address
from schema.tables.shipment_file import COLUMNS
from tests.pages.test_reading_pages import read
from tests.support.api import Api
from tests.support.cases import each_case

TUNGSTEN = "/check?commodity=tungsten&hsCode=284990&origin=CN&destination=DE&valid=2025-12-01"
CARBIDE = "Do the goods fit “Tungsten carbide, not under 1C226 (1C117.d)”?"


async def html_of(api: Api, path: str) -> str:
    """Return the HTML of a page."""
    response = await api.request("GET", path)
    assert response.status_code == 200, response.text
    return response.text


def replies(html: str, question: str) -> dict[str, str]:
    """Return the links of a question by their words."""
    links = re.findall(r'href="([^"]*)">([^<]*)<span class="vh">: ([^<]*)</span>', html)
    return {words: unescape(href) for href, words, text in links if unescape(text) == question}


async def test_the_answer_stands_before_rules_and_form(corpus: Api) -> None:
    text = await read(corpus, TUNGSTEN.replace("284990", "810194") + "&form=METAL")
    parts = [
        "Check a shipment: Tungsten, metal, HS 810194, from China to Germany",
        "Certainly: The exporter needs a trade licence from the Ministry of Commerce of China",
        "Next: apply for the licence before you ship.",
        "Possibly: The exporter needs a dual-use licence",
        "Do the goods fit “Solid tungsten and alloys, granules and powder left out",
        "Information, not legal advice.",
        "Applicable rules",
        "Possible rules",
        "Changes of the next 12 months",
        "Change the shipment",
        "Timeline",
        "Completeness",
        "Export controls of China were read in part",
        "Monitoring",
    ]
    places = [text.replace("\xa0", " ").find(part) for part in parts]
    assert places == sorted(places)
    assert -1 not in places


@pytest.mark.parametrize(
    ("day", "begins"),
    [
        ("2025-06-01", "Certainly: The export is prohibited"),
        ("2027-02-01", "Not confirmed: The export is prohibited"),
    ],
)
async def test_the_description_begins_with_the_certainty(
    corpus: Api, day: str, begins: str
) -> None:
    shipment = "commodity=gallium&form=METAL&origin=CN&destination=US"
    response = await corpus.request("GET", f"/check?{shipment}&valid={day}")
    assert f'<meta name="description" content="{begins}' in response.text


async def test_a_list_of_firms_stands_after_rules_for_every_firm(corpus: Api) -> None:
    """Two lists of China bar firms of the EU, which most traders do not deal with."""
    text = (await read(corpus, "/check?commodity=gallium&origin=CN&destination=DE")).replace(
        "\xa0", " "
    )
    first = text.index("Possibly: The exporter needs a dual-use licence")
    last = text.index("Possibly: 2 rules on listed firms apply if conditions are met (prohibited)")
    assert first < text.index("Unknown: No list of import rules of Germany") < last
    assert "Possibly: The export is prohibited" not in text[:last]


async def test_a_yes_makes_a_possible_rule_certain_and_can_be_taken_back(corpus: Api) -> None:
    asked = await html_of(corpus, TUNGSTEN)
    assert "fit “Ammonium paratungstate" not in asked, "it has another code"
    links = replies(asked, CARBIDE)
    answered = await html_of(corpus, links["Yes"])
    certain = answered[answered.index('id="certain"') : answered.index('id="upcoming"')]
    certain, _, possible = certain.partition("Possible rules")
    assert "cn-mofcom-2025-10" in certain
    assert 'href="/controls/cn-mofcom-2025-10' not in possible
    assert replies(answered, CARBIDE) == {}
    [removal] = re.findall(r'href="([^"]*)" rel="nofollow">remove', answered)
    assert await read(corpus, unescape(removal)) == await read(corpus, TUNGSTEN)


async def test_an_answer_settles_all_rules_with_the_same_question(corpus: Api) -> None:
    path, question = "/check?commodity=lithium&valid=2025-12-01", "Are the goods in this form: ore?"
    data = (await corpus.request("GET", path.replace("check?", "check.json?"))).json()["data"]
    of_question = [
        one for one in data["asOf"]["shipment"]["openQuestions"] if one["text"] == question
    ]
    assert len(of_question[0]["clauses"]) > 1
    denied = replies(await html_of(corpus, path), question)["No"]
    after = (await corpus.request("GET", denied.replace("check?", "check.json?"))).json()["data"]
    rules = [one["clause"] for one in after["asOf"]["shipment"]["verdicts"] if one["clause"]]
    assert not {*map(key_of, of_question[0]["clauses"])} & {*map(key_of, rules)}


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("commodity=galium&origin=CN", "commodity", "did you mean"),
        ("origin=CN", "commodity", "Expected the goods"),
        ("hsCode=28", "hsCode", "28"),
        ("commodity=gallium&form=POWDER", "form", "expected one of"),
        ("commodity=gallium&destination=Atlantis", "destination", "Atlantis"),
        ("commodity=gallium&contents=dysprosium", "contents", "COMMODITY:ORIGIN:PERCENT"),
        ("commodity=gallium&codeOf=US", "hsCode", "Expected the code"),
    ],
)
async def test_a_problem_is_shown_beside_its_field(
    corpus: Api, query: str, field: str, message: str
) -> None:
    response = await corpus.request("GET", f"/check?{query}")
    assert response.status_code == 400
    problem = re.findall(rf'class="wrong" id="f-{field}-error">([^<]*)<', response.text)
    assert len(problem) == 1
    assert message in unescape(problem[0])
    [element] = re.findall(rf'<(?:input|select) id="f-{field}"[^>]*>', response.text)
    assert 'aria-invalid="true"' in element
    assert f"f-{field}-error" in element
    for name, value in (pair.split("=") for pair in query.split("&")):
        if name in ("commodity", "contents") and value != "gallium":
            assert f'value="{value}"' in response.text
    data = await corpus.request("GET", f"/check.json?{query}")
    assert data.status_code == 400


@pytest.mark.parametrize(
    ("query", "corrected"),
    [
        ("commodity=galium", "commodity=gallium"),
        ("commodity=gallium&destination=Deutschland", "destination=DE"),
        ("commodity=gallium&route=JP,Hamburg", "route=JP,DE"),
        ("commodity=gallium&weight=0,2", "weight=0.2"),
        ("commodity=gallium&contents=dysprosium:CN:0,25", "contents=dysprosium:CN:0.25"),
        ("commodity=gallium&weight=1,000", ""),
    ],
)
async def test_a_wrong_value_comes_with_the_one_that_was_meant(
    corpus: Api, query: str, corrected: str
) -> None:
    response = await corpus.request("GET", f"/check?{query}")
    assert response.status_code == 400
    links = re.findall(r'<a class="chip" href="([^"]*)">Use ', response.text)
    assert [corrected in unescape(link) for link in links] == [True] * bool(corrected)


async def test_wrong_answers_and_other_parameters_are_refused(corpus: Api) -> None:
    wrong = await corpus.request("GET", "/check?commodity=gallium&answers=x")
    assert (wrong.status_code, "expected QUESTION:yes" in wrong.text) == (400, True)
    other = await corpus.request("GET", "/check?commodity=gallium&mass=1")
    assert (other.status_code, "not a parameter of this page" in other.text) == (400, True)


async def test_names_and_short_parameters_mean_the_same(corpus: Api) -> None:
    other = "/check?commodity=Tungsten&hs=284990&origin=China&to=Germany&valid=2025-12-01"
    assert await read(corpus, other) == await read(corpus, TUNGSTEN)


async def test_firms_are_not_places(corpus: Api) -> None:
    html = await html_of(corpus, "/check?commodity=gallium&importer=Japan&endUser=Foo,+US")
    assert re.search(r'id="f-importer" name="importer" value="Japan"', html)
    assert re.search(r'id="f-endUser" name="endUser" value="Foo, US"', html)


@pytest.mark.parametrize(
    ("firm", "statement"),
    [
        ("L3 Harris Technologies", "“L3 Harris Technologies” is listed by China"),
        ("L3 Haris Technologies", "“L3 Haris Technologies” is not on a recorded list, but similar"),
        ("Xyzzy Ltd", "“Xyzzy Ltd” is not on a recorded list."),
    ],
)
async def test_each_named_firm_is_compared_with_the_lists(
    corpus: Api, firm: str, statement: str
) -> None:
    text = await read(
        corpus,
        f"/check?commodity=gallium&origin=CN&destination=US&endUser={quote(firm)}&valid=2025-12-01",
    )
    assert statement in text
    assert text.index(statement) < text.index("Their owners are not checked.")


async def test_a_firm_in_two_fields_is_compared_once(corpus: Api) -> None:
    text = await read(corpus, "/check?commodity=gallium&importer=Xyzzy+Ltd&endUser=Xyzzy+Ltd")
    assert text.count("“Xyzzy Ltd” is not on a recorded list.") == 1


async def test_the_table_has_the_rules_of_the_page(corpus: Api) -> None:
    path = f"{TUNGSTEN}&answers=cn-mofcom-2025-10/tungsten/item/2:yes&contents=none&route=HK,SG"
    data = (await corpus.request("GET", path.replace("check?", "check.json?"))).json()["data"]
    table = await corpus.request("GET", path.replace("check?", "check.csv?"))
    assert table.status_code == 200, table.text
    comments = [line for line in table.text.splitlines() if line.startswith("#")]
    assert any("not legal advice" in line for line in comments)
    lines = [line for line in table.text.splitlines() if not line.startswith("#")]
    rows = [*csv.DictReader(io.StringIO("\n".join(lines)))]
    verdicts = data["asOf"]["shipment"]["verdicts"]
    assert [row["obligation"] for row in rows] == [one["obligation"] for one in verdicts]
    assert [row["match"] for row in rows] == [one["match"] or "" for one in verdicts]
    assert "CERTAIN" in [row["match"] for row in rows if row["control"] == "cn-mofcom-2025-10"]


async def test_duties_have_steps_and_say_what_is_not_recorded(corpus: Api) -> None:
    text = await read(corpus, "/check?hsCode=760110&origin=CN&destination=US&valid=2025-06-10")
    assert "Recorded import duties amount to 70 to 97.6 % of the value" in text
    assert "3. Section 232 tariff on aluminium, clause 1: 50 %." in text
    assert "1. Ordinary duty: 0 to 2.6 % (general rate of 2 lines)." in text
    assert "not covered: anti-dumping" in text.replace("\xa0", " ")
    assert "As printed on 14 May 2025" in text


async def test_origins_stand_side_by_side_with_their_rules_and_duties(corpus: Api) -> None:
    text = await read(
        corpus,
        "/check?commodity=tungsten&form=METAL&hsCode=810194&origin=CN&destination=US&valid=2026-02-22",
    )
    table = text.partition("The goods by origin")[2].partition("12 months")[0]
    china, others = table.split("Vietnam")[:2]
    assert "this shipment" in china
    assert "licence required" in china
    assert "31.6 %" in china
    assert "6.6 %" in others
    assert "Without a recorded rule, a rule can exist" in others


async def test_the_timeline_is_an_image_with_the_disclaimer(corpus: Api) -> None:
    image = await corpus.request("GET", TUNGSTEN.replace("check?", "check.svg?"))
    assert image.status_code == 200
    assert "not legal advice" in image.text
    assert (await corpus.request("GET", "/check.svg")).status_code == 404


async def test_the_citation_has_day_and_position(corpus: Api) -> None:
    html = await html_of(corpus, TUNGSTEN)
    [cited] = re.findall(r'aria-label="Citation as Text">([^<]*)<', html)
    assert "Check a shipment: Tungsten, HS 284990, from China to Germany" in unescape(cited)
    assert re.search(r"valid=2025-12-01&position=\d+", unescape(cited))


async def test_the_empty_form_has_every_field_and_no_answer(corpus: Api) -> None:
    html = await html_of(corpus, "/check")
    assert {*FIELDS} == {*COLUMNS} - {"answers"}
    for name in FIELDS:
        assert f'<label for="f-{name}">{FIELDS[name]}</label>' in html
        assert f'id="f-{name}" name="{name}"' in html
    assert "Certainly" not in html
    assert "/tables/shipment-rules" not in html
    assert 'href="/tables/shipment-rules.csv?' in await html_of(corpus, TUNGSTEN)


# --- without a server


def rule(kind: str, match: str, certainty: str | None = None) -> dict[str, Any]:
    """Return a verdict as in the response."""
    reasons = ["it covers only ore"] if match == "POSSIBLE" else []
    clause = {
        "certainty": certainty or match,
        "reasons": reasons,
        "exceptions": [],
        "control": {"key": "a"},
        "clause": {"key": "1", "measure": "BAN"},
    }
    obligation = f"{match} {kind}."
    of = {"kind": kind, "match": match, "direction": "EXPORT", "obligation": obligation}
    return {**of, "clause": clause}


def checked(*verdicts: dict[str, Any]) -> dict[str, Any]:
    """Return a check with some verdicts and nothing else."""
    no_duties: dict[str, Any] = {"lines": [], "steps": []}
    return {
        "verdicts": verdicts,
        "exportDuties": no_duties,
        "importDuties": no_duties,
        "notInForce": [],
        "openQuestions": [],
    }


BANNED = "Next: do not ship before the authority has confirmed whether it applies."
UNSETTLED = "Next: ask the authority, because the records do not settle it."


@each_case(
    ("certainty", "word"), [("NOT_CONFIRMED", "Not confirmed"), ("CONTRADICTED", "Contradicted")]
)
def test_a_matching_rule_is_certain_only_with_a_confirmed_status(certainty: str, word: str) -> None:
    [sentence] = answer(checked(rule("PROHIBITED", "CERTAIN", certainty)))
    assert (sentence.certainty, sentence.text) == (word, f"CERTAIN PROHIBITED. {BANNED}")


def test_a_rule_that_ended_by_its_own_terms_is_stated() -> None:
    shipment = checked()
    clause = {"status": "EXPIRED", "measure": "TARIFF", "confirmation": "BY_TERMS"}
    ended = {"obligation": "It ended.", "firstDay": "2025-01-01", "clause": clause}
    [sentence] = answer({**shipment, "notInForce": [ended]})
    assert (sentence.certainty, sentence.text) == ("Ended", f"It ended. {UNSETTLED}")


def test_certain_rules_come_before_the_strongest_possible_one_with_its_conditions() -> None:
    sentences = answer(
        checked(
            rule("QUOTA", "CERTAIN"),
            rule("IMPORT_DUTY", "POSSIBLE"),
            rule("PROHIBITED", "POSSIBLE"),
            rule("REVIEW", "POSSIBLE"),
        )
    )
    assert [(one.certainty, one.text.replace("\xa0", " ")) for one in sentences] == [
        ("Certainly", f"CERTAIN QUOTA. {BANNED}"),
        ("Possibly", "POSSIBLE PROHIBITED, but it covers only ore."),
        ("Possibly", "1 further rule applies if conditions are met (review)."),
    ]


def test_without_a_certain_rule_the_next_step_is_to_answer_the_questions() -> None:
    asked = checked(rule("PROHIBITED", "POSSIBLE")) | {
        "openQuestions": [{"id": "a/1/form", "clauses": []}]
    }
    [sentence] = answer(asked)
    expected = "POSSIBLE PROHIBITED, but it covers only ore. Next: answer the questions below."
    assert (sentence.certainty, sentence.text) == ("Possibly", expected)
    assert sentence.control == "a"


KEYS = st.sampled_from([("a", "1"), ("a", "2"), ("b", "1"), ("c", "1")])


def clause(key: tuple[str, str]) -> dict[str, Any]:
    """Return a clause as in the response."""
    return {"control": {"key": key[0]}, "clause": {"key": key[1]}}


@given(possible=st.sets(KEYS), settled=st.lists(st.sets(KEYS, min_size=1), max_size=4))
def test_every_possible_rule_stands_under_one_question(
    possible: set[tuple[str, str]], settled: list[set[tuple[str, str]]]
) -> None:
    questions = [
        {
            "id": f"x/1/q{n}",
            "text": f"Is it {n}?",
            "field": "answers",
            "clauses": [*map(clause, keys)],
        }
        for n, keys in enumerate(settled)
    ]
    verdicts = [{"match": "POSSIBLE", "clause": clause(key)} for key in sorted(possible)]
    asked = asked_questions({"openQuestions": questions, "verdicts": []}, Address("/check"))
    groups = possible_rules(verdicts, asked)
    placed = [key_of(rule["clause"]) for group in groups for rule in group.rules]
    assert sorted(placed) == sorted(possible)
    for group in groups:
        for rule in group.rules:
            key = key_of(rule["clause"])
            expected = next((one for one in asked if key in one.keys), None)
            assert group.question is expected


def test_a_reply_keeps_earlier_answers() -> None:
    address = Address("/check", parameters={"commodity": "gallium", "answers": "x/1/item/0:no"})
    question = {
        "id": "a/1/firm",
        "text": "Is the end user one of the 3 listed firms?",
        "field": "endUser",
        "clauses": [clause(("a", "1")), clause(("b", "1"))],
    }
    [asked] = asked_questions({"openQuestions": [question], "verdicts": []}, address)
    assert (asked.field, asked.label) == ("endUser", "End user")
    assert [reply.words for reply in asked.replies] == ["Yes", "No"]
    assert asked.replies[0].href.endswith(
        "answers=x%2F1%2Fitem%2F0:no,a%2F1%2Ffirm:yes,b%2F1%2Ffirm:yes"
    )
    [earlier] = given_answers(address)
    assert (earlier.control, earlier.without) == ("x", "/check?commodity=gallium")


def test_a_question_on_a_place_leads_to_its_field() -> None:
    question = {
        "id": "shipment/import",
        "text": "Where are the goods imported?",
        "field": "destination",
        "clauses": [],
    }
    [asked] = asked_questions({"openQuestions": [question], "verdicts": []}, Address("/check"))
    assert (asked.replies, asked.field) == ([], "destination")


async def test_a_check_without_possible_rules_has_no_empty_section(corpus: Api) -> None:
    html = await html_of(
        corpus, "/check?hsCode=73269086&codeOf=US&origin=CN&destination=US&valid=2026-02-22"
    )
    assert "Does this exemption apply" in html
    assert "Possible rules" not in html
    assert "#possible" not in html
