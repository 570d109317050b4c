"""Draw texts of all layers at random: `python -m tools.sample_texts [--count 100] [--seed 1]`.

Texts are docstrings, descriptions of the API, visible texts of pages, paragraphs of the documentation, and
messages of errors. Each kind has the same number of texts. Each line names the file.
"""

import argparse
import ast
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from graphql import build_schema
from lxml import html

ROOT = Path(__file__).parents[1]
LAYERS = ("deploy", "schema", "projections", "tracker", "tools")
TEMPLATE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
MIN_WORDS = 4

Text = tuple[str, str]
"""A file and a text of it."""


def docstrings() -> Iterator[Text]:
    """Yield the docstrings of modules, classes, functions and attributes."""
    for path, tree in modules():
        for node in ast.walk(tree):
            match node:
                case ast.Expr(value=ast.Constant(value=str() as text)):
                    yield name_of(path), text


def errors() -> Iterator[Text]:
    """Yield the messages of raised errors, with `…` in place of values."""
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                for argument in node.exc.args[:1]:
                    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
                    texts = [
                        part.value if isinstance(part, ast.Constant) else "…" for part in parts
                    ]
                    yield name_of(path), "".join(map(str, texts))


def descriptions() -> Iterator[Text]:
    """Yield the descriptions of the types and fields of the API."""
    path = ROOT / "schema" / "schema.graphql"
    for type_ in build_schema(path.read_text(encoding="utf-8")).type_map.values():
        for described in (type_, *getattr(type_, "fields", {}).values()):
            if described.description:
                yield name_of(path), described.description


def page_texts() -> Iterator[Text]:
    """Yield the visible texts of pages, with `…` in place of values."""
    for path in (ROOT / "schema" / "pages").rglob("*.html"):
        page = html.fromstring(
            f"<div>{TEMPLATE.sub(' … ', path.read_text(encoding='utf-8'))}</div>"
        )
        for element in page.iter("p", "h1", "h2", "h3", "li", "td", "th", "summary", "label"):
            yield name_of(path), element.text_content()


def paragraphs() -> Iterator[Text]:
    """Yield the paragraphs of the documentation without tables and code."""
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        prose = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for paragraph in re.split(r"\n\s*\n", prose):
            if not paragraph.lstrip().startswith(("|", "#", "<", "!")):
                yield name_of(path), paragraph


KINDS: tuple[Callable[[], Iterator[Text]], ...] = (
    docstrings,
    errors,
    descriptions,
    page_texts,
    paragraphs,
)


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Yield the modules of the product and of the tools."""
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    """Return a path from the root of the checkout."""
    return str(path.relative_to(ROOT))


def main() -> None:
    """Print the sample, a line for each text."""
    parser = argparse.ArgumentParser(description="Draw texts of all layers at random.")
    parser.add_argument("--count", type=int, default=100, help="the number of texts")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the drawing")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    for kind in KINDS:
        texts = [(file, " ".join(text.split())) for file, text in kind()]
        long_enough = [one for one in texts if len(one[1].split()) >= MIN_WORDS]
        for file, text in chance.sample(long_enough, options.count // len(KINDS)):
            print(f"{file}: {text}")


if __name__ == "__main__":
    main()
