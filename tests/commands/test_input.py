"""Bad input: the same rule for mutations, imports and the command line, with the field named."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.cli.query import CLI_CALLER
from schema.execution.execute import execute
from schema.services import Access, Services
from tests.support.api import Api, document
from tests.support.cases import each_case
from tests.support.fact_builders import clause, source
from tests.support.importer import ImportFixture
from tracker.commands.handler import Commands
from tracker.domain.actors.alliance import Founded
from tracker.domain.actors.announcement import Made
from tracker.domain.basics.codec import decode, encode, from_builtins
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.entities.commitments import with_texts_restored
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.recordable import check_recordable
from tracker.domain.figures.figure_facts import Claimed
from tracker.errors import InvalidInput

Data = dict[str, Any]


def claim(quantity: Data | None = None, /, statistic: str = "production", **more: Any) -> Data:
    """Return a claim, for reserves without the fields that they lack."""
    stock = statistic.startswith("reserves")
    beside = {} if stock else {"stage": "mine", "period": 2023}
    return {
        "series": {"commodity": "gallium", "place": "CN", "statistic": statistic, **beside},
        "edition": "MCS 2024",
        "quantity": {"value": "5", "unit": "t", **(quantity or {})},
        "source": source("usgs", "2024-01-31"),
        **more,
    }


def control(**more: Any) -> Data:
    """Return an export control."""
    return {
        "on": "2024-12-03",
        "issuer": "CN",
        "direction": "export",
        "title": "Gallium",
        "clauses": [clause()],
        "source": source(),
        **more,
    }


def made(**more: Any) -> Data:
    """Return an announcement."""
    return {"on": "2025-07-01", "kind": "statement", "title": "Launch", "source": source(), **more}


def founded(**more: Any) -> Data:
    """Return an alliance."""
    return {"on": "2025-07-01", "name": "The Quad", "source": source(), **more}


ACTS: dict[str, tuple[str, str, type[Fact], Callable[..., Data]]] = {
    "Figure.Claimed": ("recordFigure", "", Claimed, claim),
    "ExportControl.Announced": ("announceExportControl", "export-control/x", Announced, control),
    "Announcement.Made": ("recordAnnouncement", "announcement/x", Made, made),
    "Alliance.Founded": ("foundAlliance", "alliance/x", Founded, founded),
}
"""Facts by event type: the mutation, the entity, the class, and good data."""

ESC, RTL, NUL = "\x1b[2J", "\u202egpj.exe", "a\0b"

WRONG: list[tuple[str, Data, str, str]] = [
    # names and titles are one visible line
    *[
        ("ExportControl.Announced", control(title=title), "INVALID_TEXT", "title")
        for title in (
            f"Gallium{ESC}",
            "a\nb",
            "a\rb",
            "a\tb",
            f"a{RTL}",
            "a\u200eb",
            "a\u200bb",
            "a\u0085b",
            " ",
            "\u00a0",
            "\u200c",
            "\u3164",
            "a\ufeff",
            "a\u2028b",
            "a\x7fb",
            "a\U000e0041",
        )
    ],
    (
        "ExportControl.Announced",
        control(source=source() | {"name": ESC}),
        "INVALID_TEXT",
        "source.name",
    ),
    (
        "ExportControl.Announced",
        control(source=source() | {"reference": f"p. 1{RTL}"}),
        "INVALID_TEXT",
        "source.reference",
    ),
    (
        "ExportControl.Announced",
        control(clauses=[clause(), clause("2", endUse=ESC)]),
        "INVALID_TEXT",
        "clauses.1.endUse",
    ),
    (
        "ExportControl.Announced",
        control(clauses=[clause(entities=["A", "a\nb"])]),
        "INVALID_TEXT",
        "clauses.0.entities.1",
    ),
    ("Announcement.Made", made(title=f"{ESC}Launch"), "INVALID_TEXT", "title"),
    ("Announcement.Made", made(topic="\u2067a"), "INVALID_TEXT", "topic"),
    ("Alliance.Founded", founded(name="\u200f"), "INVALID_TEXT", "name"),
    ("Figure.Claimed", claim(edition="MCS\u202e 2024"), "INVALID_TEXT", "edition"),
    ("Figure.Claimed", claim({"basis": " "}), "INVALID_TEXT", "quantity.basis"),
    # running text has lines, and nothing that steers how it is shown
    *[
        ("Figure.Claimed", claim(note=note), "INVALID_TEXT", "note")
        for note in (ESC, RTL, "a\rb", "a\x08b", "a\u200bb")
    ],
    ("ExportControl.Announced", control(quotation=f"said {RTL}"), "INVALID_TEXT", "quotation"),
    (
        "ExportControl.Announced",
        control(clauses=[clause(note=ESC)]),
        "INVALID_TEXT",
        "clauses.0.note",
    ),
    ("Alliance.Founded", founded(purpose=ESC), "INVALID_TEXT", "purpose"),
    # addresses are of the web
    *[
        ("Announcement.Made", made(source=source() | {"url": url}), "INVALID_URL", "source.url")
        for url in (
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "www.usgs.gov",
            "//usgs.gov",
            "https://",
            "https:///x",
            "http://usgs.gov@evil.example/",
            "https://a b/",
            "https://a/b c",
            "https:\\\\a",
            "ftp://usgs.gov/",
            "https://a:port/",
            "HTTPS:a",
            'https://a/"><script>',
        )
    ],
    # numbers have plain notation and a reasonable length
    *[
        ("Figure.Claimed", claim({"value": number}), "INVALID_NUMBER", "quantity.value")
        for number in (
            "1_000",
            "\u0663",
            "\uff11",
            " 1",
            "+1",
            ".5",
            "5.",
            "1e999999",
            "NaN",
            "-NaN",
            "sNaN1",
            "Infinity",
            "-Infinity",
            "inf",
            "0." + "3" * 300,
            "1" * 31,
            "1e31",
            "1e-31",
            "0e99",
        )
    ],
    (
        "Figure.Claimed",
        claim({"value": "1", "upper": "2_0", "qualifier": "range"}),
        "INVALID_NUMBER",
        "quantity.upper",
    ),
    (
        "ExportControl.Announced",
        control(clauses=[clause(ratePercent="1_0")]),
        "INVALID_NUMBER",
        "clauses.0.ratePercent",
    ),
    # less than nothing, more than the whole
    *[
        ("Figure.Claimed", claim({"value": "-50"}, statistic), "OUT_OF_RANGE", "quantity.value")
        for statistic in ("production", "capacity", "reserves")
    ],
    (
        "Figure.Claimed",
        claim({"value": "-7", "upper": "-5", "qualifier": "range"}),
        "OUT_OF_RANGE",
        "quantity.value",
    ),
    *[
        (
            "Figure.Claimed",
            claim({"value": value, "unit": "percent"}, statistic),
            "OUT_OF_RANGE",
            "quantity.value",
        )
        for value in ("-1", "100.1")
        for statistic in ("production_share", "reserves_share")
    ],
    (
        "Figure.Claimed",
        claim(
            {"value": "90", "upper": "110", "unit": "percent", "qualifier": "range"},
            "production_share",
        ),
        "OUT_OF_RANGE",
        "quantity.upper",
    ),
    (
        "ExportControl.Announced",
        control(clauses=[clause(quota={"value": "-1", "unit": "t"})]),
        "OUT_OF_RANGE",
        "clauses.0.quota.value",
    ),
    (
        "ExportControl.Announced",
        control(clauses=[clause(deMinimisPercent="101")]),
        "OUT_OF_RANGE",
        "clauses.0.deMinimisPercent",
    ),
    (
        "ExportControl.Announced",
        control(clauses=[clause(entityCount=-1)]),
        "OUT_OF_RANGE",
        "clauses.0.entityCount",
    ),
    (
        "Announcement.Made",
        made(amounts=[{"label": "aid", "quantity": {"value": "-5", "unit": "USD"}}]),
        "OUT_OF_RANGE",
        "amounts.0.quantity.value",
    ),
    # dates are in the digits 0 to 9
    *[
        ("Announcement.Made", made(on=day), "INVALID_DATE", "on")
        for day in (
            "\u0662\u0660\u0662\u0665",
            "\uff12\uff10\uff12\uff15-01-01",
            "2025-1-1",
            "2025-02-30",
            "0000",
            "12025-01-01",
        )
    ],
]
"""Facts that must not be recorded: event type, data, code and path of the error."""

RIGHT: list[tuple[str, Data]] = [
    ("Figure.Claimed", claim(note="two\nlines\r\nand a\ttabulator")),
    ("Figure.Claimed", claim({"value": "0"})),
    ("Figure.Claimed", claim({"value": "-0"})),
    ("Figure.Claimed", claim({"value": "1" * 30})),
    ("Figure.Claimed", claim({"value": "0.000000000000000000000000000001"})),
    ("Figure.Claimed", claim({"value": "1.5e3"})),
    ("Figure.Claimed", claim({"value": "100", "unit": "percent"}, "reserves_share")),
    ("Announcement.Made", made(title="\u9550\u9517\u51fa\u53e3\u7ba1\u5236", note="")),
    ("Announcement.Made", made(title="\u0645\u06cc\u200c\u0634\u0648\u062f")),
    (
        "Announcement.Made",
        made(
            title="T\u00fcrkiye",
            amounts=[
                {"label": "change of output", "quantity": {"value": "-20", "unit": "percent"}},
                {"label": "growth", "quantity": {"value": "250", "unit": "percent"}},
            ],
        ),
    ),
    ("Announcement.Made", made(title="Tu\u0308rkiye")),  # another Unicode form is stored unchanged
    *[
        ("Announcement.Made", made(source=source() | {"url": url}))
        for url in (
            "https://doi.org/10.5066/P144BA54",
            "http://localhost:8000/a?b=c&d={e}#f",
            "HTTP://A.B",
            "https://\u4e2d\u56fd.cn/\u653f\u7b56",
            "https://[2001:db8::1]:443/x",
        )
    ],
    ("ExportControl.Announced", control(clauses=[clause(ratePercent="250")])),
]
"""Facts that must be recorded, and read back as they were."""


def as_graphql(data: Any) -> Any:
    """Return data as mutation input: enumeration words in capitals."""
    words = {"measure", "direction", "kind", "statistic", "stage", "qualifier", "checked"}
    if isinstance(data, dict):
        return {name: of.upper() if name in words else as_graphql(of) for name, of in data.items()}
    return [as_graphql(of) for of in data] if isinstance(data, list) else data


def mutation_input(type_: str, data: Data) -> Data:
    """Return the input of the mutation that records a fact."""
    id = {} if type_ == "Figure.Claimed" else {"id": "x"}
    return {**id, **as_graphql(data)}


def corpus_line(type_: str, data: Data) -> bytes:
    """Return a line of the corpus format with any content."""
    entity = ACTS[type_][1]
    return (
        encode({"id": "a", "type": type_, "data": data, **({"entity": entity} if entity else {})})
        + b"\n"
    )


async def test_a_mutation_refuses_it_at_its_field(services: Services) -> None:
    api, found = Api(services), []
    for type_, data, _, _ in WRONG:
        code, path = await api.fails(ACTS[type_][0], mutation_input(type_, data))
        found.append((type_, data, code, ".".join(map(str, (path or [])[1:]))))
    assert found == WRONG


async def test_an_import_refuses_it_at_its_field(importer: ImportFixture) -> None:
    found = []
    for type_, data, code, _ in WRONG:
        outcome = await importer.take(corpus_line(type_, data))
        [remark] = outcome.receipt.refused
        found.append((type_, data, code, (remark.column or "").removeprefix("data.")))
    assert found == WRONG
    assert await importer.recorder.head() == 0


async def test_the_command_line_refuses_it_at_its_field(services: Services) -> None:
    found = []
    for type_, data, _, _ in WRONG:
        answer = await execute(
            services,
            document(ACTS[type_][0]),
            {"input": mutation_input(type_, data)},
            Access(),
            caller=CLI_CALLER,
        )
        [error] = answer["errors"]
        told = error["extensions"]
        found.append((type_, data, told["code"], ".".join(map(str, told["path"][1:]))))
    assert found == WRONG
    assert await services.recorder.head() == 0


@pytest.mark.parametrize(("type_", "data"), RIGHT)
async def test_valid_input_is_recorded_and_read_back_unchanged(
    services: Services, type_: str, data: Data
) -> None:
    recorded = await Api(services).do(ACTS[type_][0], mutation_input(type_, data))
    [event] = await services.recorder.read(int(recorded["position"]) - 1, limit=1)
    texts = await services.recorder.annexes.texts([event.fact])
    assert with_texts_restored(event.fact, texts) == from_builtins(ACTS[type_][2], data)


@pytest.mark.parametrize("reason", [ESC, " ", "a\nb", RTL])
async def test_the_reason_of_a_retraction_is_held_to_the_rule(
    services: Services, reason: str
) -> None:
    api = Api(services)
    recorded = await api.do("recordFigure", mutation_input("Figure.Claimed", claim()))
    code, path = await api.fails(
        "retractEvent",
        {"eventId": recorded["eventId"], "reason": reason, "source": as_graphql(source())},
    )
    assert (code, path) in [
        ("INVALID_TEXT", ["input", "reason"]),
        ("INVALID_INPUT", ["input", "reason"]),
    ]


@each_case(
    ("data", "field"),
    [
        (control(title=f"old{ESC}"), "title"),
        (control(source=source() | {"url": "file:///x"}), "url"),
        (control(note=RTL), "note"),
        (control(title=" "), "title"),
    ],
)
async def test_facts_recorded_before_are_read_unchanged(data: Data, field: str) -> None:
    fact = decode(Announced, encode(data))
    assert decode(Announced, encode(fact)) == fact
    with pytest.raises(InvalidInput):
        check_recordable(fact)


@each_case("value", ["-50", "0." + "3" * 300])
def test_numbers_that_were_recorded_before_are_read_as_they_are(value: str) -> None:
    assert decode(Claimed, encode(claim({"value": value}))).quantity.value == Decimal(value)


TEXTS = st.text(max_size=40) | st.sampled_from(
    [ESC, RTL, NUL, "", " ", "\ud800", "x" * 501, "x" * 8001, "=1", "https://a", "2024", "1e9"]
)
PLACES: list[tuple[str, Callable[[str], Data]]] = [
    ("ExportControl.Announced", lambda text: control(title=text)),
    ("ExportControl.Announced", lambda text: control(on=text)),
    ("ExportControl.Announced", lambda text: control(issuer=text)),
    ("ExportControl.Announced", lambda text: control(note=text, quotation=text)),
    ("ExportControl.Announced", lambda text: control(clauses=[clause(text)])),
    ("ExportControl.Announced", lambda text: control(clauses=[clause(commodities=[text])])),
    ("ExportControl.Announced", lambda text: control(clauses=[clause(entities=[text])])),
    ("ExportControl.Announced", lambda text: control(clauses=[clause(exemptions=text)])),
    ("Figure.Claimed", lambda text: claim({"value": text})),
    ("Figure.Claimed", lambda text: claim({"unit": text})),
    ("Figure.Claimed", lambda text: claim({"basis": text})),
    ("Figure.Claimed", lambda text: claim(edition=text)),
    ("Figure.Claimed", lambda text: claim(source=source() | {"publisher": text})),
    ("Figure.Claimed", lambda text: claim(source=source() | {"url": text})),
    ("Announcement.Made", lambda text: made(actors=[text])),
    ("Announcement.Made", lambda text: made(about=[text])),
    ("Announcement.Made", lambda text: made(topic=text)),
    ("Alliance.Founded", lambda text: founded(name=text, purpose=text, partOf=text)),
]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=TEXTS, place=st.sampled_from(PLACES), key=st.none() | TEXTS)
async def test_any_text_is_recorded_as_it_is_or_refused_with_a_code(
    services: Services, text: str, place: tuple[str, Callable[[str], Data]], key: str | None
) -> None:
    type_, of = place
    data = of(text)
    answer = await execute(
        services,
        document(ACTS[type_][0]),
        {"input": mutation_input(type_, data), "key": key},
        Access(),
        caller=CLI_CALLER,
    )
    if "errors" in answer:
        [error] = answer["errors"]
        assert error["extensions"]["code"] != "INTERNAL"
        return
    [event] = await services.recorder.read(
        int(answer["data"][ACTS[type_][0]]["position"]) - 1, limit=1
    )
    texts = await services.recorder.annexes.texts([event.fact])
    assert with_texts_restored(event.fact, texts) == from_builtins(ACTS[type_][2], data)
    await Commands(services.recorder).retract(
        event.event_id, "next", from_builtins(type(event.fact.source), source())
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=TEXTS, place=st.sampled_from(PLACES))
async def test_any_text_in_a_file_is_recorded_or_refused_with_a_place(
    importer: ImportFixture, text: str, place: tuple[str, Callable[[str], Data]]
) -> None:
    type_, of = place
    try:
        line = corpus_line(type_, of(text))
    except UnicodeEncodeError:
        return  # no file in UTF-8 can hold it
    outcome = await importer.take(line, dry_run=True)
    counts = outcome.receipt.counts
    assert counts.new + counts.refused == 1
