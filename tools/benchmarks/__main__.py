"""Runs a benchmark, or compares the short set with another commit.

python -m tools.benchmarks NAME              measures, and writes the table into docs/benchmarks.md
python -m tools.benchmarks --compare COMMIT  see tools/benchmarks/compare.py
"""

import sys
from importlib import import_module

from tools.benchmarks import compare


def main(arguments: list[str]) -> None:
    """Run the command in the arguments."""
    if arguments[:1] == ["--compare"] and len(arguments) > 1:
        compare.main(arguments[1:])
    elif arguments and not arguments[0].startswith("-"):
        sys.argv = [arguments[0], *arguments[1:], "--write", "docs/benchmarks.md"]
        import_module(f"tools.benchmarks.{arguments[0]}").main()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
