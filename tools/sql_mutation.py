"""Apply small faulty changes to a file of SQL one at a time, and check whether tests fail.

    python -m tools.sql_mutation projections/query/early_days.sql tests/projections/test_early_days.py

mutmut changes Python; no tool changes SQL. Tests run in a copy of the checkout. Survivors are printed:
each is a missing test, or a change without observable effect. Comments and literals are not changed.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".mypy_cache", "mutants", "node_modules")
NAMED = re.compile(
    r"^-- name: (\w+)\n"
    r"|^CREATE (?:OR REPLACE )?\w+ (?:IF NOT EXISTS )?([\w.]+)",
    re.MULTILINE,
)
NO_CODE = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"")
SWAPS = {
    r"<(?![=>@-])": "<=",
    r"<=": "<",
    r"(?<![-=<>@])>(?![=>])": ">=",
    r">=": ">",
    r"(?<![:<>=!])=(?![>=])": "<>",
    r"<>": "=",
    r"\bAND\b": "OR",
    r"(?<!UPDATE )(?<!DELETE )(?<!INSERT )\bOR\b(?! REPLACE)": "AND",
    r"\bIS NULL\b": "IS NOT NULL",
    r"\bIS NOT NULL\b": "IS NULL",
    r"\bNOT EXISTS\b": "EXISTS",
    r"(?<!NOT )(?<!IF )\bEXISTS\b": "NOT EXISTS",
    r"\bIF NOT\b(?! EXISTS)": "IF",
    r"\bDESC\b": "ASC",
    r"\bDISTINCT\b(?! FROM)": "",
    r"\bLEFT JOIN\b": "JOIN",
    r"\bUNION ALL\b": "UNION",
    r"\bmin\b(?=\()": "max",
    r"\bmax\b(?=\()": "min",
    r"\blead\b(?=\()": "lag",
    r"(?<=\s)\+(?=\s)": "-",
    r"(?<=\s)-(?=\s)": "+",
    r"(?<!\$)\b1\b": "2",
    r"(?<!\$)\b0\b": "1",
    r"(?m)^ *(?:AND|OR) [^\n]*(?<![;,(])$": "",
    r"(?m)^ *WHERE [^\n()]*(?:\([^\n()]*\)[^\n()]*)*(?<!;)$": "",
    r"\bFOR (?:NO KEY )?UPDATE\b": "",
}
BETWEEN = re.compile(r"BETWEEN \S+ $")


@dataclass(frozen=True, slots=True)
class Change:
    """The replacement of a text at `start`, in a query or function `scope`."""

    scope: str
    start: int
    before: str
    after: str

    def apply(self, source: str) -> str:
        """Return the text with the change."""
        return source[: self.start] + self.after + source[self.start + len(self.before) :]


def sql_changes(source: str) -> Iterator[Change]:
    """Yield all changes of the queries and functions in a file."""
    code = NO_CODE.sub(lambda match: " " * len(match.group()), source)
    names = [(match.start(), match.group(1) or match.group(2)) for match in NAMED.finditer(source)]
    for pattern, after in SWAPS.items():
        for match in re.finditer(pattern, code):
            if not BETWEEN.search(code, 0, match.start()):
                scope = next((name for at, name in reversed(names) if at <= match.start()), "")
                before = source[match.start() : match.end()]
                yield Change(scope, match.start(), before, after)


def survivors(
    root: Path, path: str, changes: Sequence[Change], tests: Sequence[str], seconds: float
) -> Iterator[Change]:
    """Yield the changes of a file below `root` with which the tests pass."""
    file = root / path
    source = file.read_text(encoding="utf-8")
    if not passes(root, tests, seconds):
        sys.exit(f"These tests fail without a change: {' '.join(tests)}. Repair them first.")
    for number, change in enumerate(changes, 1):
        file.write_text(change.apply(source), encoding="utf-8")
        survived = passes(root, tests, seconds)
        print(f"{number}/{len(changes)} {'SURVIVED' if survived else 'killed'} {line(change)}")
        if survived:
            yield change
    file.write_text(source, encoding="utf-8")


def passes(root: Path, tests: Sequence[str], seconds: float) -> bool:
    """Whether the tests pass in a checkout within the time limit."""
    command = [sys.executable, "-m", "pytest", "-n", "0", "-x", "-p", "no:cacheprovider"]
    with tempfile.TemporaryFile() as output:
        try:
            return not subprocess.run(
                [*command, f"--timeout={seconds:.0f}", *tests],
                cwd=root,
                env=os.environ | {"PYTHONPATH": str(root)},
                stdout=output,
                stderr=output,
                timeout=4 * seconds,
            ).returncode
        except subprocess.TimeoutExpired:
            return False


def line(change: Change) -> str:
    """Return a change on one line."""
    before, after = (" ".join(text.split()) for text in (change.before, change.after))
    return f"{change.scope}: {before} → {after or '(removed)'}"


def main() -> None:
    """Run the command; its exit code is 1 if a change survived."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", help="a file of SQL, relative to the checkout")
    parser.add_argument("tests", nargs="+", help="tests to run on each change")
    parser.add_argument("--sample", type=int, default=20, help="number of changes (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample (default: 1)")
    parser.add_argument("--seconds", type=float, default=120, help="time limit of one test")
    options = parser.parse_args()
    changes = list(sql_changes((ROOT / options.path).read_text(encoding="utf-8")))
    random.Random(options.seed).shuffle(changes)
    with tempfile.TemporaryDirectory(prefix="mutation-") as directory:
        os.chmod(directory, 0o755)  # PostgreSQL may run under another account
        root = Path(directory) / "checkout"
        shutil.copytree(ROOT, root, ignore=NOT_COPIED, symlinks=True)
        chosen = changes[: options.sample]
        left = list(survivors(root, options.path, chosen, options.tests, options.seconds))
    print(f"{len(left)} of {len(chosen)} changes survived", *map(line, left), sep="\n")
    sys.exit(bool(left))


if __name__ == "__main__":
    main()
