"""Tokens of callers."""

from datetime import date

from deploy.bootstrap import open_connection
from tracker import clock
from tracker.auth import tokens
from tracker.auth.scopes import Scope
from tracker.postgres.database import OWNER, Target


async def token(
    target: Target, *scopes: Scope, name: str = "harvester", expires_on: date | None = None
) -> str:
    """Create a token."""
    async with open_connection(target, role=OWNER) as connection:
        return await tokens.create(connection, name, scopes, expires_on, clock.now().date())
