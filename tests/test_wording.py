"""Texts open with their subject: no free relative clause begins a docstring, a heading or a description."""

import ast
import re
from collections.abc import Iterator

from graphql import build_schema, get_named_type
from lxml import html

from tests.support.checkout import FLOORS, ROOT

OPENING = re.compile(r"(What|Who|Whoever|Whose|How|Those|Of which|With what|By what)\b")
"""Openings with a free relative clause instead of a noun or an imperative verb."""


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of the docstrings of a module, its classes, functions and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in node.body:
                match statement:
                    case ast.Expr(value=ast.Constant(value=str() as text)):
                        yield statement.lineno, text.strip()


def test_no_docstring_opens_with_a_relative_clause() -> None:
    assert not [
        f"{path.relative_to(ROOT)}:{line}: {text[:60]}"
        for floor in (*FLOORS, "tools")
        for path in (ROOT / floor).rglob("*.py")
        for line, text in docstrings(ast.parse(path.read_text(encoding="utf-8")))
        if OPENING.match(text)
    ]


def test_no_description_of_the_api_opens_with_a_relative_clause() -> None:
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8"))
    wrong = []
    for name, type_ in schema.type_map.items():
        described = {name: type_.description}
        for field, definition in getattr(get_named_type(type_), "fields", {}).items():
            described[f"{name}.{field}"] = definition.description
            for argument, given in getattr(definition, "args", {}).items():
                described[f"{name}.{field}({argument})"] = given.description
        for value, definition in getattr(type_, "values", {}).items():
            described[f"{name}.{value}"] = definition.description
        wrong += [
            f"{at}: {text[:60]}" for at, text in described.items() if OPENING.match(text or "")
        ]
    assert not wrong


def test_no_heading_of_a_document_opens_with_a_relative_clause() -> None:
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert not [
        f"{path.relative_to(ROOT)}: {line}"
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"#+ ", line) and OPENING.match(line.lstrip("# "))
    ]


def test_no_heading_of_a_page_opens_with_a_relative_clause() -> None:
    wrong = []
    for path in (ROOT / "schema" / "pages").rglob("*.html"):
        page = html.fromstring(f"<div>{path.read_text(encoding='utf-8')}</div>")
        headings = page.xpath("//h1 | //h2 | //h3 | //summary | //caption | //th")
        wrong += [
            f"{path.relative_to(ROOT)}: {heading.text_content()[:60]}"
            for heading in headings
            if OPENING.match(heading.text_content().strip())
        ]
    assert not wrong


IDIOMS = re.compile(
    r"\bof which\b|\bas its keeper\b|\bthere (?:is|are) none\b|(?<=[.:;] )What [a-z]"
)
"""Phrases that are replaced by plain ones: `a third of them`, `null if not recorded`."""


def test_no_text_of_pages_documents_and_the_api_has_an_idiom() -> None:
    files = [
        ROOT / "schema" / "schema.graphql",
        *(ROOT / "schema" / "pages").rglob("*.html"),
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
    ]
    assert not [
        f"{path.relative_to(ROOT)}:{number}: {line[:80]}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if IDIOMS.search(line)
    ]


FORMER_PHRASES = re.compile(
    r"(?<![Tt]here )\b(is|are|was|were) no (?!longer|more|less|limit|state|such|others?\b)[a-z]"
    r"|could not be had|\bcame of\b|otherwise than|suspended no more|in the list no more"
    r"|takes not long|what is packed|as one may have|[Ww]hose token this"
)
"""Phrases of errors and other texts that are replaced: `is no` by `is not a`, `came of` by `returned`."""


def test_no_text_of_code_and_ci_has_a_former_phrase() -> None:
    """Errors are string literals of the code, so all of its lines are read."""
    places = [*FLOORS, "tools", "docs", ".github", ".ci"]
    files = [path for place in places for path in (ROOT / place).rglob("*")]
    assert not [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in files
        if path.suffix in (".py", ".html", ".js", ".md", ".graphql", ".yaml", ".yml", "")
        and path.is_file()
        and not path.is_relative_to(ROOT / "tracker" / "corpus")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if FORMER_PHRASES.search(line)
    ]


FORMER_TEST_NAMES = re.compile(
    r"^test_(what|who|whoever|whose|those)_"
    r"|(?<!there)_(is|are|was|were)_no_(?!longer|more|less)"
    r"|_(is|are)_told_apart|_told_late|_never_told|accuses_nobody|holds?_up_nobody"
    r"|otherwise_than|could_not_be_had|_came_of_|_fares?(_|$)"
)
"""Phrases of former names of tests: a relative clause first, `is no`, `told` for reported or recorded."""


def names_of_tests() -> Iterator[tuple[str, str]]:
    """Yield file and name of each test."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in re.findall(
            r"^ *(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE
        ):
            yield str(path.relative_to(ROOT)), name


def test_no_name_of_a_test_has_a_former_phrase() -> None:
    assert not [
        f"{path}: {name}" for path, name in names_of_tests() if FORMER_TEST_NAMES.search(name)
    ]
