"""The start message of the demo: addresses, example queries, how to stop it."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphql import parse, print_ast
from rich.console import Console

from deploy.config.table import TABLE
from deploy.web.app import import_execute
from schema.services import Access, Services
from tracker.domain.basics.toml_files import read_toml

DECLARED: Mapping[str, Any] = read_toml(__file__)
PAGES: Mapping[str, str] = DECLARED["pages"]
"""Example pages: what each shows, by its path."""
QUERIES: Mapping[str, str] = DECLARED["queries"]
"""Example queries, by what each shows."""


async def print_demo_banner(
    services: Services,
    url: str,
    recorded: int,
    console: Console,
    *,
    data_dir: Path | None = None,
    open_to: str | None = None,
) -> None:
    """Print the URLs, the queries with their responses, and how to stop.

    `data_dir` is the data directory for other commands. `open_to` is an address that others can reach.
    """
    head = await services.recorder.head()
    console.print(
        f"\n[bold]Critical-minerals policy tracker[/bold]: {head} events in the log,"
        f" {recorded} of them recorded just now\n",
        soft_wrap=True,
    )
    console.print(f"  pages          {url}/")
    console.print(f"  GraphQL        {url}/graphql")
    console.print(f"  subscriptions  {url.replace('http', 'ws', 1)}/graphql\n")
    console.print("Three example pages", style="bold")
    for path, about in PAGES.items():
        console.print(f"  {url}{path}", soft_wrap=True)
        console.print(f"    {about}", markup=False, soft_wrap=True)
    console.print()
    if data_dir:
        console.print("  other commands use this database after", soft_wrap=True)
        console.print(
            f"    export {TABLE['DATA_DIR'].variable}={shlex.quote(str(data_dir))}\n",
            markup=False,
            soft_wrap=True,
        )
    await print_answers(services, console)
    if open_to:
        console.print(
            f"Anyone who can reach {open_to} may write to this log: it listens to more"
            " than this machine.",
            style="red",
            markup=False,
            soft_wrap=True,
        )
    console.print("Ctrl-C stops it all, PostgreSQL included; the data stay.")


async def print_answers(services: Services, console: Console) -> None:
    """Print the example queries with their responses."""
    execute = import_execute()
    for about, document in QUERIES.items():
        answer = await execute(services, document, {}, Access())
        console.print(about, style="bold")
        console.print(print_ast(parse(document)).strip(), markup=False, soft_wrap=True)
        console.print(
            json.dumps(answer.get("data", answer), ensure_ascii=False),
            style="green",
            markup=False,
            soft_wrap=True,
        )
        console.print()
