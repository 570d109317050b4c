"""Entry point of `tracker`: checks the import names before any other import."""

import os
import sys

WRONG_USAGE = 2
"""Equals `deploy.cli.process.Exit.USAGE`, which cannot be imported before that check."""


def main() -> None:
    """Run the command in the arguments, and exit with its code."""
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
    """Print the version before slow imports."""
    from deploy.cli.version import version_text

    try:
        print(version_text(), flush=True)
    except BrokenPipeError:  # the output is closed: discard the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
