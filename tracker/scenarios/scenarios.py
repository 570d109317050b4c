"""Scenarios: hypothetical commands on the record, with a title and an owner.

They are stored beside the log and never enter it. A private scenario is visible to its owner only.
"""

import re
import secrets
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tracker.domain.basics.codec import encode
from tracker.domain.basics.text_rules import is_visible
from tracker.errors import Forbidden, InvalidInput, NotFound, TooLarge
from tracker.postgres.batching import confirmed_transaction
from tracker.postgres.database import Connection, Pool, named_queries

SQL = named_queries(Path(__file__).with_name("scenarios.sql"))
MAX_SCENARIOS = 1000
MAX_OWNED_SCENARIOS = 100
"""Maximum number of scenarios per owner."""
MAX_COMMANDS = 100
"""Maximum number of commands of a scenario."""
MAX_COMMAND_BYTES = 1024 * 1024
"""Maximum size of the commands of a scenario, as JSON."""
MAX_TITLE_CHARACTERS = 200
KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")


class NewScenario(Struct, frozen=True):
    """The content of a scenario. Raises InvalidInput and TooLarge."""

    title: str
    """Its title."""
    commands: tuple[dict[str, Any], ...]
    """Its commands in the order of execution, each as an object with one field, as for `record`."""
    base: int | None = None
    """The position of the log that it continues; null if it follows the log."""
    private: bool = False
    """Whether only its owner can read it."""

    def __post_init__(self) -> None:
        if not 0 < len(self.title) <= MAX_TITLE_CHARACTERS or not is_visible(self.title):
            raise InvalidInput(f"expected 1 to {MAX_TITLE_CHARACTERS} characters", path=("title",))
        if not 0 < len(self.commands) <= MAX_COMMANDS:
            raise InvalidInput(
                f"expected 1 to {MAX_COMMANDS} commands",
                code="INVALID_BATCH_SIZE",
                path=("commands",),
            )
        if len(self.text) > MAX_COMMAND_BYTES:
            raise TooLarge(
                f"expected commands of at most {MAX_COMMAND_BYTES} bytes", path=("commands",)
            )

    @property
    def text(self) -> bytes:
        """Its commands as JSON."""
        return encode(self.commands)


class Scenario(NewScenario, frozen=True, kw_only=True):
    """A stored scenario."""

    key: str
    """Its key, as in `asOf(scenario:)`."""
    owner: str
    """The name of the caller who created it."""
    revision: int
    """The number of its revisions."""
    created_at: datetime
    """The time at which it was created."""
    changed_at: datetime
    """The time of its last revision."""


class Scenarios:
    """The scenarios of one database."""

    def __init__(self, pool: Pool):
        self._pool = pool

    async def all(self, caller: str | None) -> list[Scenario]:
        """Return the scenarios that a caller can read, by key."""
        return [_scenario(row) for row in await self._pool.fetch(SQL.visible, caller)]

    async def get(self, key: str, caller: str | None) -> Scenario:
        """Return a scenario. Raises NotFound, also for a private one of another owner."""
        row = await self._pool.fetchrow(SQL.one, key, caller) if KEY.fullmatch(key) else None
        if row is None:
            raise NotFound(
                f"There is no scenario {key[:100]!r} that you can read: see `scenarios`",
                path=("scenario",),
            )
        return _scenario(row)

    async def save(self, new: NewScenario, owner: str, key: str | None = None) -> Scenario:
        """Store a scenario under a new key, or in place of one of the same owner.

        Raises NotFound, Forbidden, and TooLarge if there are too many.
        """
        if key is not None:
            await self._require_owner(key, owner)
        async with confirmed_transaction(self._pool) as connection:
            if key is None:
                await self._check_counts(connection, owner)
            saved = key or _new_key(new.title)
            columns = new.title, new.private, new.base, new.text.decode()
            await connection.execute(SQL.edit if key else SQL.add, saved, owner, *columns)
        return await self.get(saved, owner)

    async def delete(self, key: str, owner: str) -> Scenario:
        """Delete a scenario of an owner, and return it. Raises NotFound and Forbidden."""
        deleted = await self._require_owner(key, owner)
        async with confirmed_transaction(self._pool) as connection:
            await connection.execute(SQL.delete, key, owner)
        return deleted

    async def _require_owner(self, key: str, owner: str) -> Scenario:
        scenario = await self.get(key, owner)
        if scenario.owner != owner:
            raise Forbidden(f"only the owner of the scenario {key!r} can change it")
        return scenario

    async def _check_counts(self, connection: Connection, owner: str) -> None:
        await connection.execute(SQL.take_turn)
        counts = await connection.fetchrow(SQL.counts, owner)
        assert counts is not None
        for count, most in (("owned", MAX_OWNED_SCENARIOS), ("total", MAX_SCENARIOS)):
            if counts[count] >= most:
                whose = "of one owner" if count == "owned" else "in all"
                raise TooLarge(
                    f"there are {most} scenarios {whose}, the maximum: delete another one first",
                    code="TOO_MANY_SCENARIOS",
                )


def _scenario(row: Any) -> Scenario:
    return Scenario(**{**row, "commands": tuple(msgspec.json.decode(row["commands"]))})


def _new_key(title: str) -> str:
    """Return a key with the words of a title, which nobody can guess."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    return f"{words or 'scenario'}-{secrets.token_hex(4)}"
