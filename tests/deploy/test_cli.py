"""The command line as its users run it: real processes on a data directory of their own."""

import json
import signal
import subprocess
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.cli.process import Exit
from tests.support.database_urls import database_url
from tests.support.fact_builders import announced, suspended
from tests.support.processes import TRACKER, Running, command, postmasters, run
from tests.support.time_limits import within
from tracker.postgres.database import Target
from tracker.sources.readers.corpus_format import format_line


def control(event_id: str) -> bytes:
    """Return a line of the corpus format: an export control with a given id."""
    return format_line(
        event_id, "ExportControl.Announced", announced(), f"export-control/{event_id}"
    )


def test_the_demo_greets_with_urls_and_three_answers(demo: Running) -> None:
    assert f"{demo.url}/graphql" in demo.output
    assert demo.output.count('{"asOf"') + demo.output.count('{"before"') == 3
    assert '"status": "SUSPENDED"' in demo.output


def test_a_question_on_the_command_line_uses_the_running_server(demo: Running) -> None:
    result = command(
        "query",
        "query ($d: Day) { asOf(validAt: $d) { validAt position } }",
        "--variables",
        '{"d": "2025-11-20"}',
        data_dir=demo.data_dir,
    )
    assert result.returncode == Exit.OK, result.stderr
    assert json.loads(result.stdout)["data"]["asOf"]["validAt"] == "2025-11-20"


def test_a_wrong_question_is_an_error_with_an_exit_code(demo: Running) -> None:
    result = command(
        "query", '{ asOf(validAt: "2025-13-01") { position } }', data_dir=demo.data_dir
    )
    assert result.returncode == Exit.REFUSED
    assert json.loads(result.stdout)["errors"][0]["extensions"]["code"] == "INVALID_DATE"


def test_variables_that_are_not_an_object_are_a_usage_error(demo: Running) -> None:
    result = command("query", "{ asOf { position } }", "--variables", "[1]", data_dir=demo.data_dir)
    assert result.returncode == Exit.USAGE


def test_a_replay_gives_the_digest_that_the_api_gives(demo: Running) -> None:
    answer = demo.ask('{ asOf(validAt: "2025-06-01", position: "150") { digest } }')
    result = command(
        "replay", "--valid-at", "2025-06-01", "--position", "150", data_dir=demo.data_dir
    )
    assert result.stdout.strip() == answer["data"]["asOf"]["digest"]


def test_a_replay_beyond_the_log_is_refused(demo: Running) -> None:
    result = command("replay", "--position", "999999999", data_dir=demo.data_dir)
    assert (result.returncode, "the last one" in result.stderr) == (Exit.REFUSED, True)


def test_a_rebuild_beside_the_running_server_changes_no_answer(demo: Running) -> None:
    document = '{ asOf(validAt: "2025-06-01", position: "150") { digest } }'
    before = demo.ask(document)
    result = command("rebuild", "versions", data_dir=demo.data_dir)  # all: see test_readme.py
    assert result.returncode == Exit.OK, result.stderr
    assert "versions: " in result.stderr
    assert demo.ask(document) == before


def test_a_rebuild_of_an_unknown_projection_names_those_that_there_are(demo: Running) -> None:
    result = command("rebuild", "visions", data_dir=demo.data_dir)
    assert result.returncode == Exit.USAGE
    assert "expected versions" in " ".join(result.stderr.replace("│", " ").split())


def test_an_import_reports_every_problem_and_writes_nothing(demo: Running, tmp_path: Path) -> None:
    file = tmp_path / "facts.jsonl"
    file.write_bytes(
        b"".join(
            [
                control("good"),
                control("bad").replace(b'"gallium"', b'"galium"'),
                b"{]\n",
                control("worse").replace(b"2024-12-03", b"2024-13-03"),
            ]
        )
    )
    result = command("import", str(file), data_dir=demo.data_dir)
    assert result.returncode == Exit.REFUSED
    assert "line 2: data.clauses.0.commodities.0: 'galium' is not a commodity" in result.stderr
    assert "line 3: expected JSON" in result.stderr
    assert "line 4: data" in result.stderr
    answer = demo.ask('{ asOf { exportControl(id: "good") { title } } }')
    assert answer["data"]["asOf"]["exportControl"] is None


def test_an_import_counts_once_and_can_skip_what_is_invalid(demo: Running, tmp_path: Path) -> None:
    file = tmp_path / "facts.jsonl"
    suspension = format_line(
        "skip-suspended", "ExportControl.Suspended", suspended("1"), "export-control/skip-good"
    )
    file.write_bytes(control("skip-good") + b"{}\n" + suspension)
    first = command("import", "--skip-invalid", str(file), data_dir=demo.data_dir)
    again = command("import", "--skip-invalid", str(file), data_dir=demo.data_dir)
    assert "2 recorded, 0 known before, 1 left out" in first.stderr
    assert "0 recorded, 2 known before, 1 left out" in again.stderr
    answer = demo.ask(
        '{ asOf(validAt: "2025-12-01") { exportControl(id: "skip-good") { clauses { status } } } }'
    )
    assert answer["data"]["asOf"]["exportControl"]["clauses"] == [{"status": "SUSPENDED"}]


def test_text_in_another_encoding_is_imported_once_the_encoding_is_named(
    demo: Running, tmp_path: Path
) -> None:
    file = tmp_path / "liste.csv"
    file.write_bytes("title,country,date,commodity\n镓,China,2024-12-03,gallium\n".encode("gbk"))
    guessed = command("import", "--from", "sheet", str(file), data_dir=demo.data_dir)
    assert guessed.returncode == Exit.REFUSED
    assert "expected text in UTF-8" in guessed.stderr
    unknown = command("import", "--encoding", "gbkk", str(file), data_dir=demo.data_dir)
    assert unknown.returncode == Exit.REFUSED
    assert "UNKNOWN_ENCODING" in unknown.stderr
    named = ("import", "--from", "sheet", "--encoding", "gbk", str(file))
    shown = command(*named, "--dry-run", data_dir=demo.data_dir)
    assert "title: 镓" in shown.stderr
    assert command(*named, data_dir=demo.data_dir).returncode == Exit.OK
    assert "  gbk  1 recorded" in command("imports", data_dir=demo.data_dir).stdout
    file.write_text("title,country,date,commodity\nA,Nowhere,2024-12-03,gallium\n")
    refused = command("import", "--from", "sheet", str(file), data_dir=demo.data_dir)
    assert refused.returncode == Exit.REFUSED
    assert "nothing recorded: all 1 were refused" in refused.stderr


def test_a_spreadsheet_is_imported_with_a_mapping_and_listed(demo: Running, tmp_path: Path) -> None:
    file = tmp_path / "liste.csv"
    file.write_text("Titel;Land;date\nEine Strategie;Japan;2024-05\nOhne Land;;2024\n")
    arguments = (
        "import",
        "--map",
        "title=Titel",
        "--map",
        "jurisdiction=Land",
        str(file),
        "--set",
        "publisher=testing",
    )
    dry = command(*arguments, "--dry-run", data_dir=demo.data_dir)
    assert (dry.returncode, "would be 1 recorded" in dry.stderr) == (Exit.OK, True)
    assert "new: announcement/testing-japan-eine-strategie (line 2)" in dry.stderr
    report = tmp_path / "report.csv"
    done = command(*arguments, "--report", str(report), data_dir=demo.data_dir)
    assert "line 3: jurisdiction: expected the field jurisdiction" in done.stderr
    assert "sheet: 1 recorded, 0 known before, 1 left out" in done.stderr
    assert report.read_text().splitlines()[1] == (
        "refused,3,jurisdiction,FIELD_REQUIRED,expected the field jurisdiction,Ohne Land"
    )
    answer = demo.ask('{ asOf { announcement(id: "testing-japan-eine-strategie") { date } } }')
    assert answer["data"]["asOf"]["announcement"] == {"date": "2024-05"}
    listed = command("imports", "--from", "sheet", data_dir=demo.data_dir)
    assert "liste.csv" in listed.stdout


def test_a_directory_and_standard_input_are_recognised_file_by_file(
    demo: Running, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "a.jsonl").write_bytes(control("in-directory"))
    result = command("import", str(tmp_path), "--dry-run", data_dir=demo.data_dir)
    assert "notes.txt: skipped, not recognised" in result.stderr
    assert "a.jsonl: corpus: would be 1 recorded" in result.stderr
    piped = subprocess.run(
        [*TRACKER, "import", "-", "--data-dir", str(demo.data_dir)],
        input=control("piped"),
        capture_output=True,
        timeout=within(100),
        check=True,
    )
    assert b"standard input: corpus: 1 recorded" in piped.stderr
    (tmp_path / "b.csv").write_text('title,jurisdiction,date\n"never closed,Japan,2024\n')
    mixed = command("import", str(tmp_path), data_dir=demo.data_dir)
    assert mixed.returncode == Exit.REFUSED
    assert "b.csv, line 2: expected CSV: unexpected end of data" in mixed.stderr
    assert "a.jsonl: corpus: 1 recorded" in mixed.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ftp://example.org/facts.jsonl",), "expected a file, or an http or https address"),
        (("none.jsonl",), "none.jsonl: expected a file"),
        (("--from", "nobody", "x"), "'nobody' is not a source"),
        (("--from", "usgs", "--map", "title=a", "x"), "usgs has nothing to map"),
    ],
)
def test_an_unreadable_import_is_refused_before_the_database_is_opened(
    data_dir: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = command("import", *arguments, data_dir=data_dir)
    assert (result.returncode, message in result.stderr) == (Exit.REFUSED, True)
    assert not data_dir.exists()


def test_sources_and_schemas_are_listed() -> None:
    listed = run("sources")
    for words in ("usgs (reader 3)", "licence: US public domain", "example: bgs-2026-05-20.csv"):
        assert words in listed.stdout
    schema = run("schema", "corpus")
    assert json.loads(schema.stdout)["required"] == ["id", "type", "data"]
    other = run("schema", "x")
    assert (other.returncode, "expected corpus" in other.stderr) == (Exit.REFUSED, True)


def test_a_follower_that_was_killed_comes_back_and_gets_every_event_once(
    demo: Running, tmp_path: Path
) -> None:
    def following(after: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*TRACKER, "follow", "--after", str(after), "--data-dir", str(demo.data_dir)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def read(follower: subprocess.Popen[bytes], count: int) -> list[int]:
        assert follower.stdout is not None
        return [int(json.loads(follower.stdout.readline())["position"]) for _ in range(count)]

    head = int(demo.ask("{ asOf { position } }")["data"]["asOf"]["position"])
    follower = following(head - 3)
    seen = read(follower, 3)
    file = tmp_path / "new.jsonl"
    file.write_bytes(control("followed-1") + control("followed-2"))
    assert command("import", str(file), data_dir=demo.data_dir).returncode == Exit.OK
    seen += read(follower, 1)
    follower.kill()
    follower.communicate()

    file.write_bytes(control("followed-3"))
    assert command("import", str(file), data_dir=demo.data_dir).returncode == Exit.OK
    follower = following(seen[-1])
    seen += read(follower, 2)
    follower.terminate()
    follower.communicate()
    assert seen == list(range(head - 2, head + 4))
    assert follower.returncode == Exit.INTERRUPTED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_and_the_data_stay(
    data_dir: Path, tmp_path: Path, start: Callable[..., Running], number: signal.Signals
) -> None:
    file = tmp_path / "facts.jsonl"
    file.write_bytes(control("kept"))
    assert command("import", str(file), data_dir=data_dir).returncode == Exit.OK
    serving = start("serve", data_dir=data_dir)
    assert serving.stop(number) == Exit.OK
    assert postmasters(data_dir) == []
    result = command("query", '{ asOf { exportControl(id: "kept") { key } } }', data_dir=data_dir)
    assert json.loads(result.stdout)["data"]["asOf"]["exportControl"] == {"key": "kept"}


def test_a_killed_server_leaves_a_directory_that_starts_again_by_itself(
    data_dir: Path, tmp_path: Path, start: Callable[..., Running]
) -> None:
    file = tmp_path / "facts.jsonl"
    file.write_bytes(control("kept"))
    serving = start("serve", data_dir=data_dir)
    assert command("import", str(file), data_dir=data_dir).returncode == Exit.OK
    serving.stop(signal.SIGKILL)
    again = start("serve", data_dir=data_dir)
    answer = again.ask('{ asOf { exportControl(id: "kept") { key } } }')
    assert answer["data"]["asOf"]["exportControl"] == {"key": "kept"}
    assert again.stop() == Exit.OK
    assert postmasters(data_dir) == []


def test_a_server_whose_postgresql_ends_says_so_and_ends_too(
    data_dir: Path, start: Callable[..., Running]
) -> None:
    serving = start("serve", data_dir=data_dir)
    postmasters(data_dir)[0].kill()
    assert serving.ended() == Exit.UNAVAILABLE
    assert "PostgreSQL has ended" in serving.output
    assert "Traceback" not in serving.output
    assert start("serve", data_dir=data_dir).ask("{ head }") == {"data": {"head": "0"}}


def test_writing_to_a_server_needs_its_token(data_dir: Path, start: Callable[..., Running]) -> None:
    mutation = """mutation { foundAlliance(input: {id: "test", on: "2026-01-01", name: "Test",
        source: {publisher: "test", name: "Test", publishedOn: "2026-01-01"}}) { position } }"""
    serving = start("serve", data_dir=data_dir, TRACKER_WRITE_TOKEN="a-secret-of-the-test")
    answer = serving.ask(mutation)
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        serving.ask(mutation, "wrong")
    answer = serving.ask(mutation, "a-secret-of-the-test")
    assert answer["data"]["foundAlliance"]["position"] == "1"
    serving.stop()


def test_a_taken_port_is_said_before_anything_slow_begins(demo: Running, data_dir: Path) -> None:
    port = demo.url.rpartition(":")[2]
    result = command("serve", "--port", port, data_dir=data_dir)
    assert (result.returncode, "--port" in result.stderr) == (Exit.UNAVAILABLE, True)
    assert not data_dir.exists()


def test_a_database_that_does_not_answer_has_an_exit_code_of_its_own(data_dir: Path) -> None:
    result = command(
        "replay", data_dir=data_dir, TRACKER_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"
    )
    assert (result.returncode, "can't be reached" in result.stderr) == (Exit.UNAVAILABLE, True)


def test_a_database_of_ones_own_is_used_instead_of_the_embedded_one(
    data_dir: Path, tmp_path: Path, target: Target
) -> None:
    url = database_url(target)
    file = tmp_path / "facts.jsonl"
    file.write_bytes(control("elsewhere"))
    result = command("import", str(file), data_dir=data_dir, TRACKER_DATABASE_URL=url)
    assert result.returncode == Exit.OK, result.stderr
    result = command("query", "{ head }", data_dir=data_dir, TRACKER_DATABASE_URL=url)
    assert json.loads(result.stdout)["data"]["head"] == "2"
    assert not data_dir.exists()


def test_a_migration_says_what_it_did_and_the_second_one_has_nothing_to_do(data_dir: Path) -> None:
    first, second = (command("migrate", data_dir=data_dir) for _ in range(2))
    assert [first.returncode, second.returncode] == [Exit.OK, Exit.OK]
    assert "applied roles\napplied log\napplied audit" in first.stderr
    assert second.stderr == "The database is of this version.\n"


def test_help_teaches_every_command() -> None:
    result = run("--help")
    for name in (
        "demo",
        "serve",
        "import",
        "imports",
        "sources",
        "schema",
        "query",
        "follow",
        "snapshot",
        "replay",
        "rebuild",
        "migrate",
        "changes",
        "upcoming",
        "transitions",
        "facts",
        "key",
        "endpoint",
        "review",
    ):
        assert name in result.stdout


def test_facts_are_reported_day_by_day_in_sentences(demo: Running) -> None:
    asked = ("facts", "--from", "2025-11-09", "--to", "2025-11-09", "--place", "CN")
    told = command(*asked, "--kind", "export-control", data_dir=demo.data_dir)
    assert told.returncode == Exit.OK, told.stderr
    sentences, sources = told.stdout.splitlines()[::2], told.stdout.splitlines()[1::2]
    assert any(
        line.endswith("more are suspended from 9 November 2025 until 27 November 2026.")
        for line in sentences
    )
    assert all(line.startswith("2025-11-09  ") for line in sentences)
    assert all(line.endswith(", 2025-11-09") for line in sources)
    lines = command(*asked, "--json", data_dir=demo.data_dir).stdout.splitlines()
    assert {json.loads(line)["publicOn"] for line in lines} == {"2025-11-09"}
    for wrong in (("--kind", "rumour"), ("--from", "2025-11-30", "--to", "2025-11-01")):
        refused = command("facts", *wrong, data_dir=demo.data_dir)
        assert refused.returncode == Exit.REFUSED, wrong


def test_changes_are_told_to_people_and_as_json(demo: Running) -> None:
    asked = ("changes", "--from", "2025-10-01", "--to", "2025-11-20", "--commodity", "gallium")
    told = command(*asked, data_dir=demo.data_dir)
    assert told.returncode == Exit.OK, told.stderr
    assert "export-control/cn-mofcom-2024-46  changed on 2025-11-09" in told.stdout
    assert "  clauses 2 status: in_force → suspended" in told.stdout
    assert "because of" in told.stdout
    assert "4 more are suspended from 9 November 2025 until 27 November 2026." in told.stdout
    lines = command(*asked, "--json", data_dir=demo.data_dir).stdout.splitlines()
    changes = {change["entity"]: change["change"] for change in map(json.loads, lines)}
    assert changes["announcement/proj-alcoa-sojitz-gallium-2025"] == "APPEARED"
    assert changes["export-control/cn-mofcom-2024-46"] == "CHANGED"


def test_changes_between_positions_go_over_as_many_pages_as_it_takes(demo: Running) -> None:
    result = command(
        "changes", "--from-position", "0", "--to-position", "400", "--json", data_dir=demo.data_dir
    )
    answer = demo.ask('{ changes(from: {position: "0"}, to: {position: "400"}) { totalCount } }')
    count = len(result.stdout.splitlines())
    assert count == answer["data"]["changes"]["totalCount"]
    assert count > 200


def test_upcoming_changes_are_printed_as_text_and_json(demo: Running) -> None:
    asked = ("upcoming", "--valid-at", "2026-11-24", "--days", "1000")
    told = command(*asked, data_dir=demo.data_dir).stdout
    assert "2026-11-28  export-control/cn-mofcom-2024-46 clause 2  returns\n" in told
    assert "2029-01-01  export-control/ga-2025-mn clause 1  in force\n" in told
    lines = command(*asked, "--commodity", "manganese", "--json", data_dir=demo.data_dir).stdout
    causes = [json.loads(line)["because"]["eventId"] for line in lines.splitlines()]
    assert "ga-2025-mn" in causes
    assert "cn-mofcom-2024-46" not in causes


def test_recent_and_upcoming_changes_are_reported_in_sentences(demo: Running) -> None:
    asked = ("transitions", "--from", "2025-11-09", "--valid-at", "2026-11-24", "--issuer", "CN")
    told = command(*asked, "--commodity", "gallium", data_dir=demo.data_dir).stdout
    assert "2025-11-09  export-control/cn-mofcom-2024-46 clause 2  suspended\n" in told
    assert "clause 2 is back in force from 28 November 2026 on, by the terms announced on" in told
    lines = command(*asked, "--to", "2025-11-09", "--json", data_dir=demo.data_dir).stdout
    assert {json.loads(line)["day"] for line in lines.splitlines()} == {"2025-11-09"}


def test_a_comparison_that_is_refused_says_why(demo: Running) -> None:
    result = command(
        "changes", "--from", "2025-02-01", "--to", "2025-01-01", data_dir=demo.data_dir
    )
    assert (result.returncode, result.stdout) == (Exit.REFUSED, "")
    assert "expected an end not before it (END_BEFORE_START)" in result.stderr


def test_a_file_of_shipments_comes_back_with_its_results(demo: Running, tmp_path: Path) -> None:
    file, out = tmp_path / "shipments.csv", tmp_path / "checked.csv"
    file.write_text("commodity,origin,destination\ngallium,CN,DE\n", "utf-8")
    asked = ("check", str(file), "--valid-at", "2025-12-01")
    told = command(*asked, data_dir=demo.data_dir)
    assert told.returncode == Exit.OK, told.stderr
    assert "LICENCE_REQUIRED" in told.stdout
    assert "not legal advice" in told.stdout
    written = command(*asked, "--out", str(out), data_dir=demo.data_dir)
    assert (written.returncode, written.stdout) == (Exit.OK, "")
    assert out.read_text("utf-8").splitlines() == told.stdout.splitlines()


def test_a_file_with_a_wrong_line_is_answered_and_refused(demo: Running, tmp_path: Path) -> None:
    file = tmp_path / "shipments.csv"
    file.write_text("commodity\ngallium\ngalium\n", "utf-8")
    told = command("check", str(file), data_dir=demo.data_dir)
    assert told.returncode == Exit.REFUSED
    assert "UNKNOWN_COMMODITY" in told.stdout
    assert "1 line has an error" in told.stderr
    file.write_text("goods\ngallium\n", "utf-8")
    for name, code in ((file, "UNKNOWN_COLUMN"), (tmp_path / "none.csv", "NO_SUCH_FILE")):
        told = command("check", str(name), data_dir=demo.data_dir)
        assert (told.returncode, told.stdout) == (Exit.REFUSED, "")
        assert code in told.stderr
