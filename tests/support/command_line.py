"""Groups of commands, run in the process of a test."""

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
        """Return the result of a command."""
        return CliRunner().invoke(
            app,
            [self.GROUP, *map(str, arguments)],
            env={"TRACKER_DATABASE_URL": self.url, "COLUMNS": "300", **environment},
        )

    def rows(self, *arguments: object, **environment: str) -> list[list[str]]:
        """Return the output rows of a command."""
        result = self.run(*arguments, **environment)
        assert result.exit_code == Exit.OK, result.output
        return [line.split("\t") for line in result.stdout.splitlines()]

    def refused(self, *arguments: object) -> str:
        """Return the error of a refused command, and check that there is no other output."""
        result = self.run(*arguments)
        assert (result.exit_code, result.stdout) == (Exit.REFUSED, ""), result.output
        return " ".join(result.stderr.split())
