"""The clients with their generated files."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tools.clients import PACKAGE, write_sources


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the sources of both clients."""
    directory = tmp_path_factory.mktemp("clients")
    write_sources(directory)
    return directory


@pytest.fixture(scope="session")
def minerals_tracker(sources: Path) -> Iterator[ModuleType]:
    """Import the Python client."""
    sys.path.insert(0, str((sources / PACKAGE).parent))
    yield importlib.import_module("minerals_tracker")
    del sys.path[0]
