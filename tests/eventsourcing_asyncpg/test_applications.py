"""Whole applications of the eventsourcing library, as docs/library.md shows them."""

import re
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import pytest
from eventsourcing.application import AggregateNotFoundError, Application, ProcessingEvent
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.projection import ApplicationSubscription
from eventsourcing.system import (
    MultiThreadedRunner,
    ProcessApplication,
    Runner,
    SingleThreadedRunner,
    System,
)
from eventsourcing.tests.application import BankAccounts

from tests.eventsourcing_asyncpg.support import ROOT, in_a_process, run, until
from tracker.eventsourcing_asyncpg import AsyncpgFactory
from tracker.postgres.database import Target

DOC = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", DOC, re.DOTALL)


def test_an_account_is_there_again_for_the_next_application(target: Target) -> None:
    with BankAccounts() as app:
        account = app.open_account("Alice", "alice@example.com")
        app.credit_account(account, Decimal("10.00"))
        app.take_snapshot(account)
        app.credit_account(account, Decimal("2.50"))
    with BankAccounts() as app:
        assert app.get_balance(account) == Decimal("12.50")
        assert app.repository.get(account, version=1).balance == 0
        assert app.snapshots is not None
        assert [s.originator_version for s in app.snapshots.get(account)] == [2]
        with pytest.raises(BankAccounts.AccountNotFoundError):
            app.get_account(uuid4())
    assert run(target, "SELECT count(*) FROM public.bankaccounts_events") == 3
    assert run(target, "SELECT count(*) FROM public.bankaccounts_snapshots") == 1


def test_a_loaded_id_can_be_part_of_another_event() -> None:
    class Note(Aggregate):
        @event("Written")
        def __init__(self, about: UUID) -> None:
            self.about = about

    with Application[UUID]() as app:
        app.save(first := Note(uuid4()))
        second = Note(app.repository.get(first.id).id)
        app.save(second)
        assert app.repository.get(second.id).about == first.id


def test_compressed_and_encrypted_states_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from eventsourcing.cipher import AESCipher

    monkeypatch.setenv("COMPRESSOR_TOPIC", "zlib")
    monkeypatch.setenv("CIPHER_KEY", AESCipher.create_key(16))
    with BankAccounts() as app:
        account = app.open_account("Alice", "alice@example.com")
        [recorded] = app.recorder.select_events(account)
        assert b"Alice" not in recorded.state
        assert app.get_account(account).full_name == "Alice"


class Tally(Aggregate):
    """Return the number of created aggregates."""

    def __init__(self) -> None:
        self.count = 0

    @classmethod
    def create_id(cls) -> UUID:
        return uuid5(NAMESPACE_URL, "/tally")

    @event("Counted")
    def add(self) -> None:
        self.count += 1


class Upstream(Application[UUID]):
    """An application that another one follows."""


class Tallies(ProcessApplication[UUID]):
    """A counter of another application's events."""

    @singledispatchmethod
    def policy(self, domain_event: Any, processing_event: ProcessingEvent[UUID]) -> None:
        try:
            tally: Tally = self.repository.get(Tally.create_id())
        except AggregateNotFoundError:
            tally = Tally()
        tally.add()
        processing_event.collect_events(tally)

    def count(self) -> int:
        try:
            tally: Tally = self.repository.get(Tally.create_id())
        except AggregateNotFoundError:
            return 0
        return tally.count


@pytest.mark.parametrize("runner_class", [SingleThreadedRunner, MultiThreadedRunner])
def test_a_system_of_applications_runs(runner_class: type[Runner[UUID]]) -> None:
    with runner_class(System(pipes=[[Upstream, Tallies]])) as runner:
        upstream, tallies = runner.get(Upstream), runner.get(Tallies)
        for _ in range(3):
            upstream.save(Aggregate())
        until(lambda: tallies.count() == 3)
        assert tallies.recorder.max_tracking_id("Upstream") == 3


def test_a_subscription_gives_domain_events() -> None:
    with BankAccounts() as app:
        account = app.open_account("Alice", "alice@example.com")
        with ApplicationSubscription(app) as subscription:
            opened, tracking = next(subscription)
    assert (opened.originator_id, tracking) == (account, Tracking("BankAccounts", 1))


def test_text_tables_hold_uuids_too(database_url: str) -> None:
    factory = AsyncpgFactory({"TRACKER_DATABASE_URL": database_url, "ORIGINATOR_ID_TYPE": "text"})
    recorder, key = factory.application_recorder(), uuid4()
    recorder.insert_events([StoredEvent(key, 1, "topic", b"state")])
    assert recorder.select_events(key) == [StoredEvent(str(key), 1, "topic", b"state")]
    factory.close()


def test_the_examples_of_the_documentation_run(target: Target, database_url: str) -> None:
    _, application, view = EXAMPLES
    [module] = re.findall(r"PERSISTENCE_MODULE=(\S+_asyncpg)$", DOC, re.MULTILINE)
    result = in_a_process(application, url=database_url, module=module)
    assert (result.returncode, result.stderr) == (0, "")
    names: dict[str, Any] = {"__name__": "views"}
    exec(view, names)
    factory = AsyncpgFactory({"TRACKER_DATABASE_URL": database_url})
    totals: Any = factory.tracking_recorder(names["Totals"])
    mine = uuid4()
    totals.add(mine, 7, Tracking("Mines", 1))
    totals.add(mine, 5, Tracking("Mines", 2))
    assert totals.tonnes(mine) == 12
    assert run(target, "SELECT tonnes FROM public.totals") == 12
    factory.close()


def test_every_setting_is_in_the_documentation() -> None:
    settings = {
        value
        for name, value in vars(AsyncpgFactory).items()
        if name.isupper() and isinstance(value, str)
    }
    assert settings == set(re.findall(r"^\| `(\w+)` \|", DOC, re.MULTILINE))
