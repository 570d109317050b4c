"""Show which answers an edit of the shipped data changes.

    python -m tools.answer_changes [COMMIT] [--json FILE]

compares the corpus of this checkout with that of a commit (default: main), and prints the facts that
differ, then the answers that differ today: rows of tables, the legal questions and shipments of
`tests/truth`. It compiles the edited files itself. Nothing is written. Exit codes: 0 compared, 1 a
problem in the files.
"""

import argparse
import asyncio
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from os.path import commonprefix
from pathlib import Path
from typing import Any

from deploy.bootstrap import prepare, running_tracker
from deploy.cli.corpus import HERE, read_checked_acts
from deploy.cli.temporary_database import temporary_database, temporary_directory
from schema.tables.table import tables
from tests.support.api import Api
from tests.support.checkout import ROOT
from tests.truth.answers import ask
from tests.truth.question import read_questions
from tests.truth.shipment import check, read_cases
from tracker import clock
from tracker.corpus.compiling import (
    CORPUS,
    compile_corpus,
    format_corpus,
    readings_in,
    replace_readings,
)
from tracker.corpus.tariffs import shipped_tariffs
from tracker.postgres.database import Target
from tracker.sources.importing.importer import import_file
from tracker.sources.reader import File
from tracker.sources.readers.corpus_format import READER

Answers = dict[str, Any]
"""Answers by a name: `clauses cn-mofcom-2024-46 1`, or the words of a question."""
TABLES = {
    "alliances": ("key",),
    "announcements": ("key",),
    "clauses": ("control", "clause"),
    "controls": ("key",),
    "coverages": ("key",),
    "horizons": ("kind", "issuer", "publisher"),
    "members": ("alliance", "placeCode"),
    "prices": ("commodity", "form", "place", "publisher", "year"),
    "supplies": ("commodity", "statistic", "stage", "form"),
    "transitions": ("day", "entity", "transition", "clause", "member"),
}
"""Whole tables, with the columns that name a row."""
EXPOSURE = ("commodity", "stage", "form", "place")
PLACE_OF_LOG = ("Position", "DateTime")
"""Scalars that depend on the order of an import."""
MAX_LINES = 200
MAX_TEXT = 120


def corpus_of(commit: str) -> bytes:
    """Return the compiled corpus of a commit."""
    name = f"{commit}:{(HERE / CORPUS).relative_to(ROOT)}"
    return subprocess.run(["git", "show", name], cwd=ROOT, check=True, capture_output=True).stdout


def edited_corpus(directory: Path = HERE) -> bytes:
    """Return the corpus of the files in a directory, compiled. Prints problems and exits."""
    acts, readings = read_checked_acts(directory), readings_in(directory / CORPUS)
    if tariffs := shipped_tariffs(directory):
        readings = replace_readings(readings, tariffs)
    return format_corpus(compile_corpus(acts, readings))


def facts(corpus: bytes) -> Answers:
    """Return the facts of a corpus by type, entity and id. Pure."""
    lines = map(json.loads, corpus.splitlines())
    return {f"{one['type']} {one.get('entity', '')} {one['id']}": one["data"] for one in lines}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of differing answers with sentences on their differences. Pure."""
    return {
        name: list(_difference(before.get(name), after.get(name)))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


def _difference(before: Any, after: Any) -> Iterator[str]:
    if before is None or after is None:
        yield "added" if before is None else "withdrawn"
    elif isinstance(before, dict) and isinstance(after, dict):
        for field in sorted({*before, *after}):
            if before.get(field) != after.get(field):
                for text in _difference(before.get(field, ""), after.get(field, "")):
                    yield f"{field}: {text}"
    elif isinstance(before, list) and isinstance(after, list):
        yield from (f"no longer {_short(one)}" for one in before if one not in after)
        yield from (f"now {_short(one)}" for one in after if one not in before)
    else:
        old, new = _text(before), _text(after)
        same = len(commonprefix([old, new])) if len(old) > MAX_TEXT else 0  # noqa: RUF071
        yield f"{_short(old[same:], '…' * bool(same))} → {_short(new[same:], '…' * bool(same))}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(value: Any, prefix: str = "") -> str:
    text = prefix + _text(value)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


async def answers(target: Target, corpus: Path) -> Answers:
    """Record a corpus in an empty database, and return all answers."""
    await prepare(target)
    await import_file(target, READER, File.at(corpus), skip_refused=True)
    async with running_tracker(target) as services:
        head = await services.recorder.head()
        await services.projector.reach(head, seconds=600)
        await services.as_of.searches.reach(head)
        return await ask_all(Api(services))


async def ask_all(api: Api) -> Answers:
    """Return the answers of a tracker."""
    found: Answers = {}
    for name, key in TABLES.items():
        found |= await rows(api, name, key)
    for commodity in sorted({one["commodity"] for n, one in found.items() if n[:9] == "supplies "}):
        found |= await rows(api, "exposure", EXPOSURE, f"&commodity={commodity}")
    for question in read_questions():
        found[f"question {question.ask}"] = await ask(api, question)
    for case in read_cases():
        found[f"shipment {case.ask}, {case.day}"] = await check(api, case)
    return found


async def rows(api: Api, name: str, key: tuple[str, ...], filters: str = "") -> Answers:
    """Return the rows of a table by their names, without positions."""
    response = await api.request("GET", f"/tables/{name}.json?valid={clock.today()}{filters}")
    columns = [one.name for one in tables()[name].shape.columns if one.scalar not in PLACE_OF_LOG]
    found = [
        {column: row[column] for column in columns if row.get(column) not in (None, "", [])}
        for row in response.raise_for_status().json()["rows"]
    ]
    names = [" ".join([name, *(str(row.get(part, "-")) for part in key)]) for row in found]
    count, total = Counter[str](), Counter(names)
    answers: Answers = {}
    for one, row in zip(names, found, strict=True):
        count[one] += 1
        answers[one if total[one] == 1 else f"{one} ({count[one]})"] = row
    return answers


def compare(before: bytes, after: bytes) -> dict[str, dict[str, list[str]]]:
    """Return the facts and the answers that differ between two corpora."""
    changed = differences(facts(before), facts(after))
    found: list[Answers] = []
    with tempfile.TemporaryDirectory(prefix="tracker-answers-") as temporary:
        for number, corpus in enumerate((before, after) if changed else ()):
            file = Path(temporary, f"{number}.jsonl")
            file.write_bytes(corpus)
            with temporary_directory() as scratch, temporary_database(scratch) as database:
                found.append(asyncio.run(answers(database.target, file)))
    return {"facts": changed, "answers": differences(*found) if changed else {}}


def report(compared: Mapping[str, Mapping[str, list[str]]]) -> str:
    """Return a comparison as text. Pure."""
    if not compared["facts"]:
        return "No fact differs, so no answer does.\n"
    lines = []
    for what, found in compared.items():
        kinds = Counter(name.split(" ")[0] for name in found)
        counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items()) or "none"
        lines += [f"## Changed {what}: {counts}", ""]
        named = [f"- {name}: {'; '.join(texts)}" for name, texts in found.items()]
        more = [f"- and {len(named) - MAX_LINES:,} more"] if len(named) > MAX_LINES else []
        lines += [*named[:MAX_LINES], *more, ""]
    return "\n".join(
        [*lines, "Nothing else differs among the compared tables, questions and shipments.\n"]
    )


def main(commit: str, file: Path | None) -> None:
    """Print the comparison, and write it as JSON if a file is given."""
    compared = compare(corpus_of(commit), edited_corpus())
    print(report(compared), end="")
    if file:
        file.write_text(json.dumps(compared, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("commit", nargs="?", default="main")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    main(options.commit, options.json)
