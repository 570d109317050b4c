"""A database for each test, chosen by the environment as a user would do it."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from eventsourcing.utils import Environment

from tracker.eventsourcing_asyncpg import AsyncpgFactory
from tracker.postgres.database import Target


@pytest.fixture(autouse=True)
def database_url(target: Target, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set the URL of the test's database in the environment of its applications."""
    parts = urlencode({key: target[key] for key in ("host", "port", "user")})
    url = f"postgresql:///{target['database']}?{parts}"
    monkeypatch.setenv("PERSISTENCE_MODULE", "tracker.eventsourcing_asyncpg")
    monkeypatch.setenv("TRACKER_DATABASE_URL", url)
    return url


@pytest.fixture
def factory(database_url: str) -> Iterator[AsyncpgFactory]:
    """Return a separate factory for an application without a name."""
    factory = AsyncpgFactory(Environment(env={"TRACKER_DATABASE_URL": database_url}))
    yield factory
    factory.close()
