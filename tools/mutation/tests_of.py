"""Selection and order of tests for a mutant."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from tools.mutation.coverage_map import CoverageMap
from tools.mutation.mutants import ROOT, Mutant

MIGRATIONS = "tracker/postgres/migrations/"
IN_MIGRATIONS = (
    "tracker/log/append.py",
    "tracker/log/recorder.py",
    "tracker/log/annexes.py",
    "tracker/auth/tokens.py",
    "tracker/audit/serve/proofs.py",
    "tracker/audit/sign/publisher.py",
)
"""Files that call the functions of the migrations."""


def choose_tests(
    mutant: Mutant, coverage: CoverageMap, there: set[str], seconds: float
) -> tuple[list[str], bool]:
    """Return the tests of a mutant within the time limit, near and fast ones first, and whether these
    are all."""
    running = [test for test in _running(mutant, coverage) if test in there]
    running += [
        test
        for test in there
        if test not in coverage.seconds
        and (_is_near(mutant, test) or _imports(test.partition("::")[0], mutant.path))
    ]
    running.sort(key=lambda test: (not _is_near(mutant, test), coverage.seconds.get(test, 1), test))
    chosen: list[str] = []
    for test in running:
        if (takes := coverage.seconds.get(test, 1)) <= seconds:
            seconds -= takes
            chosen.append(test)
    return chosen or running[:1], len(chosen) == len(running)


def _is_near(mutant: Mutant, test: str) -> bool:
    """Whether a test file is named after the changed file or, for SQL, after the function."""
    names = [Path(mutant.path).stem]
    if mutant.path.startswith(MIGRATIONS):
        names = re.findall("[a-z]{4,}", mutant.change.scope)
    return any(name in test.partition("::")[0] for name in names)


@cache
def _imports(tests: str, path: str) -> bool:
    """Whether an unmeasured test file imports the changed module."""
    module = path.removesuffix(".py").replace("/", ".")
    return f"from {module} import" in (ROOT / tests).read_text(encoding="utf-8")


def _running(mutant: Mutant, coverage: CoverageMap) -> set[str]:
    if mutant.path.endswith(".py"):
        return coverage.running(mutant.path, mutant.change.scope)
    if mutant.path.startswith(MIGRATIONS):
        return set().union(*(coverage.running(path, "") for path in IN_MIGRATIONS))
    modules = _modules_of_sql(mutant.path)
    named = [
        (path, scope) for path in modules for scope in _functions_naming(path, mutant.change.scope)
    ]
    selected = named or [(path, "") for path in modules]
    return set().union(*(coverage.running(path, scope) for path, scope in selected))


@cache
def _modules_of_sql(path: str) -> list[str]:
    """Return the modules beside a query file that read it."""
    file = ROOT / path
    return [
        module.relative_to(ROOT).as_posix()
        for module in sorted(file.parent.glob("*.py"))
        if f'"{file.name}"' in module.read_text(encoding="utf-8")
    ]


@cache
def _functions_naming(path: str, query: str) -> list[str]:
    """Return the functions of a module that name a query; empty if only module code does."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    if any(_names(node, query) for node in tree.body if not _is_scope(node)):
        return []
    return list(_naming(tree, query, ""))


def _naming(node: ast.AST, query: str, outer: str) -> list[str]:
    names: list[str] = []
    for inner in ast.iter_child_nodes(node):
        name = f"{outer}.{inner.name}".strip(".") if _is_scope(inner) else outer
        if _is_scope(inner) and not isinstance(inner, ast.ClassDef) and _names(inner, query):
            names.append(name)
        names += _naming(inner, query, name)
    return names


def _is_scope(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _names(node: ast.AST, query: str) -> bool:
    return re.search(rf"\b(?:SQL|AS_OF|TABLES)\.{query}\b", ast.unparse(node)) is not None
