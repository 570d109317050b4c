"""The eventsourcing library's own test cases, run on our factory."""

import os
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import Tracking
from eventsourcing.tests import application as application_cases
from eventsourcing.tests import persistence as cases
from eventsourcing.tests import projection as projection_cases
from eventsourcing.utils import Environment

from tests.eventsourcing_asyncpg.views import EventCounters
from tracker.eventsourcing_asyncpg import (
    AsyncpgAggregateRecorder,
    AsyncpgApplicationRecorder,
    AsyncpgFactory,
    AsyncpgProcessRecorder,
    AsyncpgTrackingRecorder,
)


class WithFactory:
    """A factory on the test's database, closed at its end."""

    ORIGINATOR_ID_TYPE = "uuid"
    factory: AsyncpgFactory

    @pytest.fixture(autouse=True)
    def _make_factory(self, database_url: str) -> Iterator[None]:
        self.factory = AsyncpgFactory(
            {"TRACKER_DATABASE_URL": database_url, "ORIGINATOR_ID_TYPE": self.ORIGINATOR_ID_TYPE}
        )
        yield
        self.factory.close()


class WithTextIds(WithFactory):
    """Originator ids are text, as an application chooses them."""

    ORIGINATOR_ID_TYPE = "text"

    def new_originator_id(self) -> UUID | str:
        return f"account-{uuid4()}"


class TestAggregateRecorder(WithFactory, cases.AggregateRecorderTestCase):
    def create_recorder(self) -> AsyncpgAggregateRecorder:
        return self.factory.aggregate_recorder()


class TestAggregateRecorderWithTextIds(WithTextIds, cases.AggregateRecorderTestCase):
    def create_recorder(self) -> AsyncpgAggregateRecorder:
        return self.factory.aggregate_recorder()


class TestApplicationRecorder(
    WithFactory, cases.ApplicationRecorderTestCase[AsyncpgApplicationRecorder]
):
    def create_recorder(self) -> AsyncpgApplicationRecorder:
        return self.factory.application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestApplicationRecorderWithTextIds(
    WithTextIds, cases.ApplicationRecorderTestCase[AsyncpgApplicationRecorder]
):
    def create_recorder(self) -> AsyncpgApplicationRecorder:
        return self.factory.application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestTrackingRecorder(WithFactory, cases.TrackingRecorderTestCase):
    def create_recorder(self) -> AsyncpgTrackingRecorder:
        return self.factory.tracking_recorder()


class TestProcessRecorder(WithFactory, cases.ProcessRecorderTestCase):
    def create_recorder(self) -> AsyncpgProcessRecorder:
        return self.factory.process_recorder()


class TestProcessRecorderWithTextIds(WithTextIds, cases.ProcessRecorderTestCase):
    def create_recorder(self) -> AsyncpgProcessRecorder:
        return self.factory.process_recorder()


class TestNotificationIdsDoNotInterleave(WithFactory, cases.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> AsyncpgApplicationRecorder:
        return self.factory.application_recorder()


class TestFactory(cases.InfrastructureFactoryTestCase[AsyncpgFactory]):
    def setUp(self) -> None:
        self.env = Environment("TestFactory", dict(os.environ))
        super().setUp()

    def expected_factory_class(self) -> type[AsyncpgFactory]:
        return AsyncpgFactory

    def expected_aggregate_recorder_class(self) -> type[AsyncpgAggregateRecorder]:
        return AsyncpgAggregateRecorder

    def expected_application_recorder_class(self) -> type[AsyncpgApplicationRecorder]:
        return AsyncpgApplicationRecorder

    def expected_tracking_recorder_class(self) -> type[AsyncpgTrackingRecorder]:
        return AsyncpgTrackingRecorder

    def tracking_recorder_subclass(self) -> type[AsyncpgTrackingRecorder]:
        return EventCounters

    def expected_process_recorder_class(self) -> type[AsyncpgProcessRecorder]:
        return AsyncpgProcessRecorder


class TestApplication(application_cases.ApplicationTestCase):
    pass


class TestExampleApplication(application_cases.ExampleApplicationTestCase):
    expected_factory_topic = "tracker.eventsourcing_asyncpg.factory:AsyncpgFactory"


class TestView(WithFactory, projection_cases.EventCountersViewTestCase):
    def construct_event_counters_view(self) -> EventCounters:
        view = self.factory.tracking_recorder(EventCounters)
        assert isinstance(view, EventCounters)
        return view

    def test_a_view_changes_nothing_when_its_notification_has_been_processed(self) -> None:
        view = self.construct_event_counters_view()
        view.incr_created_event_counter(Tracking("upstream", 5))
        with pytest.raises(cases.IntegrityError):
            view.incr_created_event_counter(Tracking("upstream", 4))
        assert view.get_created_event_counter() == 1


class TestProjection(projection_cases.AggregateEventCountersProjectionTestCase):
    view_class = EventCounters


class TestEventSourcedProjection(projection_cases.EventSourcedProjectionTestCase):
    pass
