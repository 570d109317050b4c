"""Measure the size and the structure of the code: `python -m tools.measure [DIRECTORY]`.

A row for each layer and for the domain: Python files, lines, lines of code (without blank lines,
comments and docstrings), rooms (packages and modules directly below the layer), arrows (pairs of rooms
where one imports the other), and functions over 60 lines. Another checkout is measured with its
directory. The files that a mutation passes: `python -m tools.request_path`.
"""

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grimp

LAYERS = ("deploy", "schema", "projections", "tracker")
DOMAIN = "tracker.domain"
"""A package of a layer with rooms of its own; its lines are among those of the layer."""
CLIENTS = Path("deploy", "clients")
"""Packages of their own, which are not a part of the layer."""
MAX_FUNCTION_LINES = 60
IGNORED = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


@dataclass(frozen=True, slots=True)
class Measured:
    """The measures of a layer."""

    files: int
    lines: int
    code: int
    rooms: int
    arrows: int
    long_functions: int


def measure(root: Path, layer: str, graph: grimp.ImportGraph) -> Measured:
    """Measure a layer of a checkout, or a package by its dotted name."""
    directory = root.joinpath(*layer.split("."))
    files = [
        path for path in sorted(directory.rglob("*.py")) if not path.is_relative_to(root / CLIENTS)
    ]
    texts = [path.read_text("utf-8") for path in files]
    rooms = {room for module in graph.modules if (room := room_of(module, layer))}
    arrows = {
        (first, second)
        for module in graph.modules
        if (first := room_of(module, layer))
        for imported in graph.find_modules_directly_imported_by(module)
        if (second := room_of(imported, layer)) and first != second
    }
    return Measured(
        len(texts),
        sum(len(text.splitlines()) for text in texts),
        sum(len(code_lines(text)) for text in texts),
        len(rooms),
        len(arrows),
        sum(length > MAX_FUNCTION_LINES for text in texts for length in function_lengths(text)),
    )


def room_of(module: str, layer: str) -> str | None:
    """Return the room of a module in a layer; None for the layer itself and for other layers."""
    inner = module.removeprefix(f"{layer}.")
    return inner.partition(".")[0] if inner != module else None


def code_lines(text: str) -> set[int]:
    """Return the numbers of the lines that have code."""
    docstrings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        line
        for token in tokens
        if token.type not in IGNORED and token.string
        for line in range(token.start[0], token.end[0] + 1)
    } - docstrings


def function_lengths(text: str) -> Iterator[int]:
    """Yield the number of lines of each function, docstring included."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def main() -> None:
    """Print a table with a row for each layer, and the sum."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
    sys.path.insert(0, str(root))
    graph = grimp.build_graph(*LAYERS, cache_dir=None)
    print("| layer | files | lines | code | rooms | arrows | functions over 60 lines |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    rows = {layer: measure(root, layer, graph) for layer in LAYERS}
    for layer, one in {**rows, DOMAIN: measure(root, DOMAIN, graph)}.items():
        print(
            f"| {layer} | {one.files} | {one.lines:,} | {one.code:,} | {one.rooms} | {one.arrows} |"
            f" {one.long_functions} |"
        )
    print(
        f"| all | {sum(one.files for one in rows.values())} |"
        f" {sum(one.lines for one in rows.values()):,} | {sum(one.code for one in rows.values()):,} | | |"
        f" {sum(one.long_functions for one in rows.values())} |"
    )


if __name__ == "__main__":
    main()
