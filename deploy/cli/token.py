"""`tracker token`: tokens of callers of the API are made, listed and revoked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated

import asyncpg
import typer

from deploy.bootstrap import open_connection, prepare
from deploy.cli.common import DAY_FORM, DataDir, day, run_with_database, stderr
from deploy.output.terminal import in_one_line
from tracker import clock
from tracker.auth.scopes import Scope
from tracker.auth.tokens import TokenRecord
from tracker.auth.tokens import create as create_token
from tracker.auth.tokens import list_tokens as all_tokens
from tracker.auth.tokens import revoke as revoke_token
from tracker.errors import Forbidden
from tracker.postgres.database import OWNER, Connection, Target

tokens = typer.Typer(
    name="token",
    no_args_is_help=True,
    help="Make, list and revoke the tokens of programs and people that use the API.",
)


@tokens.command()
def create(
    name: Annotated[
        str,
        typer.Option(help="Who will use it; every event they record has this name as its actor."),
    ],
    scope: Annotated[
        list[Scope],
        typer.Option(
            help="What it is for; give several by repeating this. Each may read, admin is all."
        ),
    ],
    expires: Annotated[
        date | None,
        typer.Option(
            parser=day,
            metavar=DAY_FORM,
            help="The last day (UTC) on which it works (default: none).",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it. Keep it: it can't be shown again."""

    async def work(target: Target) -> str:
        async with as_owner(target) as connection:
            return await create_token(connection, name, scope, expires, clock.now().date())

    secret = run_with_database(data_dir, work)
    stderr.print("This is shown once; send it as 'Authorization: Bearer …':")
    print(secret)


@tokens.command(name="list")
def list_(data_dir: DataDir = None) -> None:
    """List all tokens there ever were, by id, with their state; not the tokens themselves."""

    async def work(target: Target) -> list[TokenRecord]:
        async with as_owner(target) as connection:
            return await all_tokens(connection)

    for token in run_with_database(data_dir, work):
        scopes = ",".join(scope.value for scope in token.scopes)
        made = f"made {token.created_at:%Y-%m-%d}"
        print(f"{token.id}\t{in_one_line(token.name)}\t{scopes}\t{made}\t{state_of(token)}")


def state_of(token: TokenRecord) -> str:
    """Until when a token works, or since when it does not."""
    if token.revoked_at:
        return f"revoked {token.revoked_at:%Y-%m-%d}"
    if token.expires_on and token.expires_on < clock.now().date():
        return f"expired {token.expires_on}"
    return f"works until {token.expires_on}" if token.expires_on else "works"


@tokens.command()
def revoke(
    id: Annotated[int, typer.Argument(help="Its id, from `tracker token list`.")],
    data_dir: DataDir = None,
) -> None:
    """Make a token useless, within seconds in running servers."""

    async def work(target: Target) -> str:
        async with as_owner(target) as connection:
            return await revoke_token(connection, id)

    stderr.print(f"Token {id} of {run_with_database(data_dir, work)} is revoked.", markup=False)


@asynccontextmanager
async def as_owner(target: Target) -> AsyncIterator[Connection]:
    """A connection that may make tokens. Raises Forbidden where the login may not: the server of
    the API needs no such right."""
    await prepare(target)
    try:
        async with open_connection(target, role=OWNER) as connection:
            yield connection
    except (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError) as error:
        raise Forbidden(
            f"Tokens need a login that is a member of {OWNER}, as for `tracker migrate`: {error}"
        ) from error
