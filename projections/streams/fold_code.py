"""The code behind the folds of all projections, for their fingerprints."""

from pathlib import Path
from types import ModuleType

import projections.words
import tracker.domain
from projections.fold import effective_facts, elements, entity_rows, timeline
from projections.runner import writing
from projections.streams import folding
from tracker.log import upcasting

DOMAIN = Path(tracker.domain.__file__).parent
FOLDING = (
    upcasting,
    timeline,
    effective_facts,
    elements,
    entity_rows,
    folding,
    writing,
    projections.words,
)


def code_of(*modules: ModuleType) -> tuple[Path, ...]:
    """Return the files of some modules that make rows from folds, and of all that they build on."""
    domain = sorted(path for path in DOMAIN.rglob("*") if path.suffix in (".py", ".toml"))
    return (*domain, *(Path(str(module.__file__)) for module in (*FOLDING, *modules)))
