"""`tracker token`: create, list and revoke tokens of API clients."""

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
    name="token", no_args_is_help=True, help="Create, list and revoke the tokens of API clients."
)


@tokens.command()
def create(
    name: Annotated[
        str,
        typer.Option(
            help="The name of the client, which is the actor of the events that it records."
        ),
    ],
    scope: Annotated[
        list[Scope],
        typer.Option(
            help="The scope; repeat it for several. Each includes reading; admin includes all."
        ),
    ],
    expires: Annotated[
        date | None,
        typer.Option(
            parser=day, metavar=DAY_FORM, help="The last day (UTC) of validity (default: none)."
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Create a token and print it. Keep it: it cannot be shown again."""

    async def work(target: Target) -> str:
        async with as_owner(target) as connection:
            return await create_token(connection, name, scope, expires, clock.now().date())

    secret = run_with_database(data_dir, work)
    stderr.print("This is shown once; send it as 'Authorization: Bearer …':")
    print(secret)


@tokens.command(name="list")
def list_(data_dir: DataDir = None) -> None:
    """List all tokens, past and present, by id with their state, without the secrets."""

    async def work(target: Target) -> list[TokenRecord]:
        async with as_owner(target) as connection:
            return await all_tokens(connection)

    for token in run_with_database(data_dir, work):
        scopes = ",".join(scope.value for scope in token.scopes)
        made = f"made {token.created_at:%Y-%m-%d}"
        print(f"{token.id}\t{in_one_line(token.name)}\t{scopes}\t{made}\t{state_of(token)}")


def state_of(token: TokenRecord) -> str:
    """Return the state of a token: its last day, or the end of its validity."""
    if token.revoked_at:
        return f"revoked {token.revoked_at:%Y-%m-%d}"
    if token.expires_on and token.expires_on < clock.now().date():
        return f"expired {token.expires_on}"
    return f"works until {token.expires_on}" if token.expires_on else "works"


@tokens.command()
def revoke(
    id: Annotated[int, typer.Argument(help="The id, from `tracker token list`.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke a token; running servers reject it within seconds."""

    async def work(target: Target) -> str:
        async with as_owner(target) as connection:
            return await revoke_token(connection, id)

    stderr.print(f"Token {id} of {run_with_database(data_dir, work)} is revoked.", markup=False)


@asynccontextmanager
async def as_owner(target: Target) -> AsyncIterator[Connection]:
    """Connect with a login that may create tokens. Raises Forbidden for other logins.

    The API server needs no such right.
    """
    await prepare(target)
    try:
        async with open_connection(target, role=OWNER) as connection:
            yield connection
    except (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError) as error:
        raise Forbidden(
            f"Tokens need a login that is a member of {OWNER}, as for `tracker migrate`: {error}"
        ) from error
