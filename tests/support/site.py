"""A tracker process from the installed wheel."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.support.database_urls import database_url
from tests.support.processes import Running
from tracker.postgres.database import Target


@dataclass(frozen=True)
class Site:
    """A running tracker."""

    url: str

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Return the data of an API response, which must have no errors."""
        response = httpx2.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables or {}}, timeout=60
        )
        answer = response.json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


@contextmanager
def serving_wheel(
    packages: Path, target: Target, directory: Path, **settings: str
) -> Iterator[Site]:
    """Run a server of an installed wheel; the checkout is not on its path."""
    url = database_url(target)
    running = Running(
        "serve",
        data_dir=directory / "data",
        PYTHONPATH=str(packages),
        PYTHONSAFEPATH="1",
        TRACKER_DATABASE_URL=url,
        TRACKER_AUDIT_DIR=str(directory / "audit"),
        **settings,
    )
    try:
        yield Site(running.url)
    finally:
        running.stop()
