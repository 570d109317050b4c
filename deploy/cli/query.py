"""`tracker query`: a GraphQL query without a server."""

import json
import sys
from typing import Annotated, Any

import typer

from deploy.bootstrap import running_tracker
from deploy.cli.common import DataDir, print_whole, run_with_database
from deploy.cli.process import Exit
from deploy.output.terminal import escaped_json
from deploy.web.app import import_execute
from schema.services import Access
from tracker.auth.scopes import Caller, Scope, expand_scopes
from tracker.postgres.database import Target

CLI_CALLER = Caller("command line", expand_scopes([Scope.ADMIN]))
"""The caller with all scopes: access to the database needs no token."""


def query(
    document: Annotated[
        str, typer.Argument(metavar="GRAPHQL", help="The GraphQL document; - reads standard input.")
    ],
    variables: Annotated[str, typer.Option(help="The variables, as a JSON object.")] = "{}",
    data_dir: DataDir = None,
) -> None:
    """Run a GraphQL query and print the response as JSON.

    For example: `tracker query '{ asOf(validAt: "2025-11-20") { exportControl(id: "cn-mofcom-2024-46")
    { clauses { key status suspendedUntil } } } }'`
    """
    values = parse_variables(variables)
    text = sys.stdin.read() if document == "-" else document

    async def work(target: Target) -> dict[str, Any]:
        execute = import_execute()
        async with running_tracker(target) as services:
            await services.projector.reach(await services.recorder.head(), seconds=600)
            return await execute(services, text, values, Access(), caller=CLI_CALLER)

    answer = run_with_database(data_dir, work)
    print_whole(map(escaped_json, json.dumps(answer, indent=2, ensure_ascii=False).split("\n")))
    if answer.get("errors"):
        raise typer.Exit(Exit.REFUSED)


def parse_variables(text: str) -> dict[str, Any]:
    """Return the variables of a query. Exits with a usage error if they are not a JSON object."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"expected a JSON object: {error}", param_hint="--variables"
        ) from None
    if not isinstance(values, dict):
        raise typer.BadParameter("expected a JSON object", param_hint="--variables")
    return values
