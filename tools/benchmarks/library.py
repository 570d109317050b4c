"""The eventsourcing library with one of its persistence modules."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from urllib.parse import quote

from eventsourcing.persistence import ApplicationRecorder, InfrastructureFactory
from eventsourcing.utils import Environment

from tracker.postgres.database import Target


@contextmanager
def library(target: Target, module: str, **settings: str) -> Iterator[ApplicationRecorder]:
    """Open its application recorder, with text ids and POSTGRES_POOL_SIZE connections."""
    import_module(module)  # so that the error names a missing module
    factory = InfrastructureFactory.construct(
        Environment(
            "bench",
            {
                "PERSISTENCE_MODULE": module,
                "ORIGINATOR_ID_TYPE": "text",
                "TRACKER_DATABASE_URL": _url(target),
                "POSTGRES_HOST": target["host"],
                "POSTGRES_PORT": str(target["port"]),
                "POSTGRES_USER": target["user"],
                "POSTGRES_PASSWORD": "",
                "POSTGRES_DBNAME": target["database"],
                "POSTGRES_MAX_OVERFLOW": "0",
                **settings,
            },
        )
    )
    try:
        yield factory.application_recorder()
    finally:
        factory.close()


def _url(target: Target) -> str:
    host = quote(target["host"], safe="")
    return f"postgresql://{target['user']}@/{target['database']}?host={host}&port={target['port']}"
