"""Where the command `tracker` begins: sees that its names are its own before anything else is imported."""

from __future__ import annotations

import os
import sys

WRONG_USAGE = 2
"""As `deploy.cli.process.Exit.USAGE`, which can't be imported before the names are known to be ours."""


def main() -> None:
    """Run the command that the arguments name, and leave with its exit code."""
    if sys.argv[1:] == ["--version"]:
        print_version()
        return
    from deploy.cli.import_names import wrong_names

    if wrong := wrong_names():
        print(wrong, file=sys.stderr)
        sys.exit(WRONG_USAGE)
    from deploy.cli.main import main as run

    run()


def print_version() -> None:
    """Print the version before anything is imported that takes time."""
    from deploy.cli.version import version_text

    try:
        print(version_text(), flush=True)
    except BrokenPipeError:  # nobody reads it: print what is left to nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
