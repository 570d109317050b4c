"""Output types follow from the structs of the domain: a new field needs no line here."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from graphql import GraphQLObjectType

from schema.base.descriptions import describe
from schema.execution.schema import CORE_SCHEMA
from schema.inputs.input_types import to_camel
from tests.support.cases import each_case
from tracker.domain.controls.clause import Clause, ClauseState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.export_control_acts import Announced

ROOT = Path(__file__).parents[2]
NEW_FIELD = '''    docket: Name | None = None
    """The number of the docket in which it was announced."""
'''
SHOW_IT = """
from schema.execution.schema import CORE_SCHEMA, SCHEMA
from schema.types.export_control import ExportControl
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.basics.values import PartialDate
from tracker.domain.catalogue.places import Place
from tracker.domain.basics.control_vocabulary import Direction

print(SCHEMA.as_str())
print(ExportControl.at(ExportControlState(
    id="x", issuer=Place("CN"), direction=Direction.EXPORT, title="X", clauses=(), because=(),
    announced_on=PartialDate("2026"), docket="D-7",
), None).docket)
"""


def test_a_new_field_of_controls_touches_the_files_of_its_fact_and_its_state(
    tmp_path: Path,
) -> None:
    shutil.copytree(ROOT / "tracker", tmp_path / "tracker")
    for room in ("schema", "projections"):
        (tmp_path / room).symlink_to(ROOT / room)
    fact = tmp_path / "tracker/domain/controls/export_control_acts.py"
    state = tmp_path / "tracker/domain/controls/export_control.py"
    insert(fact, "class Announced(", "    official: bool = True\n", NEW_FIELD)
    insert(
        state,
        "class ExportControlState(",
        "    official: bool = True\n",
        NEW_FIELD.splitlines(keepends=True)[0],
    )
    insert(
        state,
        "def state(",
        "            official=opening.official,\n",
        " " * 12 + "docket=opening.docket,\n",
    )
    shown = subprocess.run(
        [sys.executable, "-c", SHOW_IT], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    [described] = {line.strip() for line in shown.splitlines() if "number of the docket" in line}
    assert described == '"""The number of the docket in which it was announced."""'
    assert shown.count("  docket: String\n") == 1  # of the type
    assert shown.count("  docket: String = null\n") == 1  # of the input
    assert shown.endswith("D-7\n")


def insert(file: Path, after: str, line: str, new: str) -> None:
    """Insert lines into a file, before the first line of its kind after a text."""
    text = file.read_text(encoding="utf-8")
    at = text.index(line, text.index(after))
    file.write_text(text[:at] + new + text[at:], encoding="utf-8")


@each_case(
    ("shown", "struct", "hidden"),
    [
        ("ExportControl", ExportControlState, {"id"}),
        ("Clause", Clause, {"id"}),
        ("Clause", ClauseState, {"clause"}),
    ],
)
def test_every_field_of_a_struct_is_shown(shown: str, struct: type, hidden: set[str]) -> None:
    of = CORE_SCHEMA.type_map[shown]
    assert isinstance(of, GraphQLObjectType)
    names = {to_camel(name) for name in struct.__struct_fields__ if name not in hidden}  # type: ignore[attr-defined]
    assert names <= of.fields.keys()


def test_the_docstring_of_a_field_is_its_description_in_inputs_and_outputs() -> None:
    described = describe("instrument", ExportControlState, Announced)
    assert described == "The legal act, as cited by its issuer."
    types = CORE_SCHEMA.type_map
    for name in ("ExportControl", "AnnounceExportControlInput"):
        assert types[name].fields["instrument"].description == described  # type: ignore[attr-defined]


def test_a_field_that_is_not_described_is_named() -> None:
    with pytest.raises(LookupError, match=r"ExportControlState\.nothing has no docstring"):
        describe("nothing", ExportControlState)
