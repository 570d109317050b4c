"""Where the command `tracker` begins: sees that its names are its own before anything else is imported."""

from __future__ import annotations

import sys

WRONG_USAGE = 2
"""As `deploy.process.Exit.USAGE`, which can't be imported before the names are known to be ours."""


def main() -> None:
    """Run the command that the arguments name, and leave with its exit code."""
    if sys.argv[1:] == ["--version"] and print_version():
        return
    from deploy.import_names import wrong_names

    if wrong := wrong_names():
        print(wrong, file=sys.stderr)
        sys.exit(WRONG_USAGE)
    from deploy.cli.main import main as run

    run()


def print_version() -> bool:
    """Print the version before anything is imported that takes time. Returns whether that is done:
    where nobody reads it, the command line knows what to do."""
    from deploy.version import version_text

    try:
        print(version_text(), flush=True)
    except OSError:
        return False
    return True
