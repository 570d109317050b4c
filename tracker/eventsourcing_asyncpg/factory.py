"""The infrastructure factory: recorders and their tables, configured by the environment."""

from types import TracebackType
from typing import TypeVar, cast

from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment, EnvType, resolve_topic, strtobool

from tracker.errors import InvalidInput
from tracker.eventsourcing_asyncpg import recorders
from tracker.eventsourcing_asyncpg.datastore import Datastore
from tracker.postgres.database_url import target_from_url

R = TypeVar("R", bound=recorders.AsyncpgRecorder)


class AsyncpgFactory(InfrastructureFactory[recorders.AsyncpgTrackingRecorder]):
    """Stores the events of eventsourcing applications in PostgreSQL, over asyncpg.

    Raises OSError for a missing or invalid setting.
    """

    DATABASE_URL = "TRACKER_DATABASE_URL"
    SCHEMA = "POSTGRES_SCHEMA"
    POOL_SIZE = "POSTGRES_POOL_SIZE"
    CONNECT_TIMEOUT = "POSTGRES_CONNECT_TIMEOUT"
    ORIGINATOR_ID_TYPE = "ORIGINATOR_ID_TYPE"
    CREATE_TABLE = "CREATE_TABLE"

    def __init__(self, env: Environment | EnvType | None):
        super().__init__(env)
        url = self.env.get(self.DATABASE_URL)
        if not url:
            raise OSError(f"{self.DATABASE_URL} is not set: expected a postgresql:// URL")
        try:
            target = target_from_url(url)
        except InvalidInput as error:
            raise OSError(f"{self.DATABASE_URL}: {error.message}") from None
        id_type = (self.env.get(self.ORIGINATOR_ID_TYPE) or "uuid").lower()
        if id_type not in ("uuid", "text"):
            raise OSError(f"{self.ORIGINATOR_ID_TYPE} is {id_type!r}: expected uuid or text")
        self.datastore = Datastore(
            target,
            pool_size=self._positive(self.POOL_SIZE, 10),
            connect_timeout=self._positive(self.CONNECT_TIMEOUT, 5),
            schema=self.env.get(self.SCHEMA) or "public",
            originator_id_type=id_type,
        )

    def aggregate_recorder(self, purpose: str = "events") -> recorders.AsyncpgAggregateRecorder:
        """Return a recorder of events or snapshots outside of application sequences."""
        return self._with_tables(
            recorders.AsyncpgAggregateRecorder(
                self.datastore, events_table_name=self._table("stored", purpose)
            )
        )

    def application_recorder(self) -> recorders.AsyncpgApplicationRecorder:
        """Return the recorder of an application's events."""
        cls = self._resolve_class(
            self.APPLICATION_RECORDER_TOPIC, recorders.AsyncpgApplicationRecorder
        )
        return self._with_tables(
            cls(self.datastore, events_table_name=self._table("stored", "events"))
        )

    def tracking_recorder(
        self, tracking_recorder_class: type[recorders.AsyncpgTrackingRecorder] | None = None
    ) -> recorders.AsyncpgTrackingRecorder:
        """Return the recorder of a projection, or a view with a tracking recorder."""
        cls = tracking_recorder_class or self._resolve_class(
            self.TRACKING_RECORDER_TOPIC, recorders.AsyncpgTrackingRecorder
        )
        return self._with_tables(
            cls(self.datastore, tracking_table_name=self._table("notification", "tracking"))
        )

    def process_recorder(self) -> recorders.AsyncpgProcessRecorder:
        """Return the recorder of an application that follows others."""
        cls = self._resolve_class(self.PROCESS_RECORDER_TOPIC, recorders.AsyncpgProcessRecorder)
        return self._with_tables(
            cls(
                self.datastore,
                events_table_name=self._table("stored", "events"),
                tracking_table_name=self._table("notification", "tracking"),
            )
        )

    def close(self) -> None:
        """Close the connections and end their thread; subscriptions end."""
        self.datastore.close()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        super().__exit__(exc_type, exc_val, exc_tb)
        self.close()

    def _table(self, unnamed: str, purpose: str) -> str:
        return f"{self.env.name.lower() or unnamed}_{purpose}"

    def _resolve_class(self, setting: str, default: type[R]) -> type[R]:
        """Return the recorder class that a setting names."""
        topic = self.env.get(setting)
        return cast(type[R], resolve_topic(topic)) if topic else default

    def _with_tables(self, recorder: R) -> R:
        """Return a recorder after creating its tables, unless a setting disables that."""
        if strtobool(self.env.get(self.CREATE_TABLE) or "yes"):
            recorder.create_table()
        return recorder

    def _positive(self, setting: str, default: int) -> int:
        text = self.env.get(setting) or str(default)
        if not text.isdecimal() or int(text) == 0:
            raise OSError(f"{setting} is {text!r}: expected a whole number above 0")
        return int(text)
