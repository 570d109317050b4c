"""`tracker receipt`: the signed receipt of a GraphQL query, without a server."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.bootstrap import running_tracker
from deploy.cli.common import DataDir, print_whole, report_errors, run_with_database, stderr
from deploy.cli.query import CLI_CALLER, parse_variables
from deploy.cli.verify_result import replace_file
from deploy.config import settings
from deploy.config.access import access
from deploy.config.table import TABLE
from deploy.config.timestamps import timestamp_authority
from deploy.postgres import default_data_dir
from deploy.web.app import import_receipts
from tracker.audit.sign.publisher import SigningOptions
from tracker.errors import InvalidInput, NotFound
from tracker.postgres.database import Target


def receipt(
    document: Annotated[
        str, typer.Argument(metavar="QUERY", help="The GraphQL document; - reads standard input.")
    ],
    variables: Annotated[str, typer.Option(help="The variables, as a JSON object.")] = "{}",
    operation: Annotated[
        str | None,
        typer.Option(
            show_default=False, help="The name of the query, if the document has several."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", show_default=False, help="The file (default: standard output)."
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Run a GraphQL query and write a signed receipt of its answer.

    The query must fix `validAt` and `position`. `tracker verify --receipt FILE` checks the receipt against
    any copy of the log.

    For example: `tracker receipt '{ asOf(validAt: "2025-11-20", position: "4100") { counts { firms } } }'
    --out firms.receipt.json`
    """
    values = parse_variables(variables)
    text = sys.stdin.read() if document == "-" else document
    with report_errors():
        signing = existing_keys(data_dir or default_data_dir())
        rules, authority = access(), timestamp_authority()

    async def work(target: Target) -> str:
        issue_receipt = import_receipts()
        async with running_tracker(target, signing) as services:
            await services.projector.reach(await services.recorder.head(), seconds=600)
            return await issue_receipt(
                services, rules, CLI_CALLER, text, values, operation, authority
            )

    content = run_with_database(data_dir, work)
    if out is None:
        print_whole([content.removesuffix("\n")])
    else:
        with report_errors():
            replace_file(out, content.encode())
        stderr.print(f"receipt: {out}", markup=False)


def existing_keys(data_dir: Path) -> SigningOptions:
    """Return the signing options of a log that has keys. Raises InvalidInput (NO_KEY)."""
    signing = settings.signing(data_dir)
    if signing is None:
        raise InvalidInput(
            f"a receipt is signed by the log: expected its keys in {TABLE['AUDIT_DIR'].variable}",
            code="NO_KEY",
        )
    try:
        signing.keystore.keys()
    except NotFound as error:
        raise InvalidInput(
            f"a receipt is signed by the log: {error.message}", code="NO_KEY"
        ) from None
    return signing
