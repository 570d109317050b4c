"""The templates of pages, and their compiled form."""

import shutil
import tempfile
from pathlib import Path

import pytest
from jinja2 import nodes
from jinja2.filters import FILTERS

from schema.pages.site.templates import compiled_templates, environment

ENDINGS = ["html", "svg", "txt", "xml"]


@pytest.mark.parametrize("name", environment().list_templates(ENDINGS))
def test_a_compiled_template_depends_on_no_code_of_a_filter(name: str) -> None:
    made = environment()
    assert made.loader is not None
    tree = made.parse(made.loader.get_source(made, name)[0])
    own = (each for each in tree.find_all(nodes.Filter) if each.name not in FILTERS)
    for each in own:
        with pytest.raises(nodes.Impossible):
            each.as_const()


def test_templates_are_compiled_anew_without_a_private_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    assert compiled_templates() is None
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (made := environment().overlay(bytecode_cache=compiled_templates())).get_template(
        "site/page.html"
    )
    [directory] = tmp_path.iterdir()
    assert directory.stat().st_mode & 0o077 == 0
    assert [*directory.iterdir()]
    shutil.rmtree(directory)  # as if the disk were full: nothing can be written
    made.get_template("site/parts.html")
