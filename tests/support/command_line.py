"""Groups of commands as people type them, run in the process of a test."""

from __future__ import annotations

from typing import ClassVar

from typer.testing import CliRunner, Result

from deploy.cli.main import app
from deploy.cli.process import Exit
from tests.support.database_urls import database_url
from tracker.postgres.database import Target


class GroupCommands:
    """The commands of a group on a database."""

    GROUP: ClassVar[str]

    def __init__(self, target: Target):
        self.target = target
        self.url = database_url(target)

    def run(self, *arguments: object, **environment: str) -> Result:
        """The result of a command."""
        return CliRunner().invoke(
            app,
            [self.GROUP, *map(str, arguments)],
            env={"TRACKER_DATABASE_URL": self.url, "COLUMNS": "300", **environment},
        )

    def rows(self, *arguments: object, **environment: str) -> list[list[str]]:
        """What a command prints, as programs read it."""
        result = self.run(*arguments, **environment)
        assert result.exit_code == Exit.OK, result.output
        return [line.split("\t") for line in result.stdout.splitlines()]

    def refused(self, *arguments: object) -> str:
        """Why a command is refused, after making sure that it printed nothing else."""
        result = self.run(*arguments)
        assert (result.exit_code, result.stdout) == (Exit.REFUSED, ""), result.output
        return " ".join(result.stderr.split())
