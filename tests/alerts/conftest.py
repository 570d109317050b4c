"""A tracker that sends alerts to a real mail server."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest

from deploy.bootstrap import running_tracker
from schema.services import Access, Services
from tests.support.api import Api
from tests.support.fact_builders import announced
from tests.support.mail_server import MailBox, link_in, receiving_mail
from tracker.alerts.store import Alerts
from tracker.postgres.database import Target

ADDRESS = "ann@example.org"
OWN = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


class Reader:
    """A reader with a browser and a mail box."""

    def __init__(self, services: Services, box: MailBox):
        self.services = services
        self.box = box
        self.api = Api(services, Access())

    @property
    def alerts(self) -> Alerts:
        """Return the subscriptions."""
        assert self.services.alerts is not None
        return self.services.alerts

    async def get(self, path: str) -> httpx2.Response:
        """Return a page."""
        return await self.api.request("GET", path, headers=OWN)

    async def post(
        self, path: str, headers: dict[str, str] | None = None, **fields: str
    ) -> httpx2.Response:
        """Send a form."""
        return await self.api.request("POST", path, data=fields, headers=headers or OWN)

    async def request(self, target: str = "/commodities/gallium", **fields: str) -> httpx2.Response:
        """Request a subscription."""
        values = {"address": ADDRESS, "frequency": "immediate", "timeZone": "UTC", **fields}
        return await self.post("/alerts", target=target, **values)

    async def subscribe(self, target: str = "/commodities/gallium", **fields: str) -> None:
        """Request a subscription and confirm it by the mail."""
        before = len(self.box.contents)
        response = await self.request(target, **fields)
        assert response.status_code == 303, response.text
        message = (await self.box.wait_for(before + 1))[before]
        assert message["Subject"].startswith("Confirm alerts")
        confirmed = await self.post(link_in(message, "/alerts/confirm"))
        assert confirmed.status_code == 200, confirmed.text

    async def record(self, id: str = "a", **more: Any) -> None:
        """Record a control of gallium exports."""
        done = await self.services.commands.record(f"export-control/{id}", announced(**more))
        await self.services.projector.reach(done.positions[-1])


@pytest.fixture
def box() -> Iterator[MailBox]:
    """Run a mail server."""
    with receiving_mail() as box:
        yield box


@pytest.fixture
async def reader(target: Target, box: MailBox) -> AsyncIterator[Reader]:
    """Run a tracker with alerts, and return a reader of its pages."""
    async with running_tracker(target, mail=box.options()) as services:
        yield Reader(services, box)
