"""Install the wheel as users do, and print a table of its behaviour.

    python -m tools.releases WHEEL [--python PYTHON]

It uses every installed Python (Debian's and those of pyenv), or one. It installs by venv, pipx and uv, with
the lines of docs/operating/install.md, as an unprivileged user in an empty directory. `tracker --version` and
`tracker demo` must respond, and without PostgreSQL a command must report this. Without `--python` it also
checks whether every extra has wheels on every supported Python and kind of machine. The exit code is 1 after
any failure.
"""

import argparse
import sys
import tempfile
from itertools import chain
from pathlib import Path

from tools.releases.installed import pythons, try_all
from tools.releases.outcome import report
from tools.releases.wheels import try_wheels


def main(wheel: Path, python: Path | None) -> int:
    """Check all, or one Python, and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="tracker-installed-") as temporary:
        place = Path(temporary)
        place.chmod(0o755)
        interpreters = [python] if python else pythons()
        return report(chain(() if python else try_wheels(), try_all(wheel, interpreters, place)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--python", type=Path)
    options = parser.parse_args()
    sys.exit(main(options.wheel.resolve(), options.python))
