"""Record the folds of the projections: `python -m tests.projections.record_folds`.

The number grows if a fold has changed. After a merge conflict take the file of the other branch first.
"""

import tomllib

from projections.registry import PROJECTIONS
from projections.runner.fingerprint import fingerprint
from projections.runner.release import FOLDS


def current_folds() -> dict[str, str]:
    """Return the fingerprint of each projection."""
    return {name: fingerprint(make()) for name, make in sorted(PROJECTIONS.items())}


def main() -> None:
    """Write the file if a fold has changed."""
    recorded = tomllib.loads(FOLDS.read_text(encoding="utf-8"))
    if recorded["folds"] != (folds := current_folds()):
        lines = [f'{name} = "{fold}"\n' for name, fold in folds.items()]
        text = f"number = {recorded['number'] + 1}\n\n[folds]\n{''.join(lines)}"
        FOLDS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
