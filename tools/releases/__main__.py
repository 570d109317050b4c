"""Install the wheel as users do, and see what it does there; prints a table.

    python -m tools.releases WHEEL [--python PYTHON]

On every Python that is here (Debian's and those of pyenv), or on one: by venv, pipx and uv, by the lines of
docs/operating/install.md, by a user without rights in an empty directory, `tracker --version` and
`tracker demo` answer; where there is no PostgreSQL a command says so. Without `--python` also, of every
extra on every Python that is promised: whether all libraries have wheels for a kind of machine. Ends
with 1 if anything is other than it should be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from itertools import chain
from pathlib import Path

from tools.releases.installed import pythons, try_all
from tools.releases.outcome import Outcome
from tools.releases.wheels import try_wheels


def main(wheel: Path, python: Path | None) -> int:
    """Try all, or one Python; the exit code."""
    outcomes: list[Outcome] = []
    print("| what | where | result |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="tracker-installed-") as temporary:
        place = Path(temporary)
        place.chmod(0o755)
        found = [python] if python else pythons()
        for outcome in chain(() if python else try_wheels(), try_all(wheel, found, place)):
            print(f"| {outcome.what} | {outcome.where} | {outcome.result} |", flush=True)
            outcomes.append(outcome)
    wrong = [each for each in outcomes if not each.good]
    print(f"{len(outcomes)} tried, {len(wrong)} other than they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--python", type=Path)
    given = parser.parse_args()
    sys.exit(main(given.wheel.resolve(), given.python))
