"""Where the command `tracker` begins: sees that its names are its own before anything else is imported."""

from __future__ import annotations

import sys

from deploy.import_names import wrong_names

WRONG_USAGE = 2
"""As `deploy.process.Exit.USAGE`, which can't be imported before the names are known to be ours."""


def main() -> None:
    """Run the command that the arguments name, and leave with its exit code."""
    if wrong := wrong_names():
        print(wrong, file=sys.stderr)
        sys.exit(WRONG_USAGE)
    from deploy.cli.main import main as run

    run()
