"""The documents as a site of files, which can be read without a server and without a network:

    sphinx-build --fail-on-warning --conf-dir docs/site . build/site

from the same Markdown as `/docs` of a tracker, by the same parser, in the same order.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

from schema.pages.docs.documents import FIRST, read_documents, reading_order

ROOT = Path(__file__).parents[2]
DOCUMENTS = {each.path: each for each in read_documents(ROOT)}
CONTENTS = "\n\n```{{toctree}}\n:hidden:\n\n{}\n```\n"
"""What leads from the first document to all others; the words for it are Sphinx's."""

project = "Critical-minerals policy tracker"
version = release = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
    "version"
]
html_title = f"{project} {version}"
language = "en"

root_doc = FIRST.removesuffix(".md")
include_patterns = list(DOCUMENTS)
extensions = ["myst_parser"]
myst_heading_anchors = 6
myst_heading_slug_func = "schema.pages.docs.markdown.slug"
suppress_warnings = ["misc.highlighting_failure"]  # examples leave things out: `…`

html_theme = "furo"
html_copy_source = False
html_show_sourcelink = False
html_domain_indices = html_use_index = False
html_show_copyright = False
html_show_sphinx = False


def setup(app: Any) -> None:
    """Sphinx asks for this: lead from the first document to the others, and to it from where one begins."""
    app.connect("source-read", add_contents)
    app.connect("build-finished", add_index)


def add_contents(app: Any, name: str, source: list[str]) -> None:
    """Add the list of all other documents to the first."""
    if name == root_doc:
        others = [path.removesuffix(".md") for path in reading_order(DOCUMENTS) if path != FIRST]
        source[0] += CONTENTS.format("\n".join(others))


def add_index(app: Any, error: Exception | None) -> None:
    """Give the first document the name that a server shows by itself, too."""
    if not error:
        shutil.copyfile(Path(app.outdir, f"{root_doc}.html"), Path(app.outdir, "index.html"))
