"""Messages of `tracker mcp` when it cannot start."""

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.cli.process import Exit
from schema.assistants import route
from tests.support.cases import each_case


@each_case(
    ("url", "code", "said"),
    [
        ("http://127.0.0.1:9", Exit.UNAVAILABLE, "does not answer as a tracker"),
        ("http://tracker.example", Exit.REFUSED, "a token is sent to https addresses only"),
    ],
)
def test_it_says_why_a_tracker_on_the_web_is_not_asked(url: str, code: Exit, said: str) -> None:
    ran = CliRunner().invoke(app, ["mcp", url], env={"TRACKER_TOKEN": "secret"})
    assert (ran.exit_code, said in " ".join(ran.output.split())) == (code, True)


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "SDK", "no_such_package")
    ran = CliRunner().invoke(app, ["mcp"])
    assert ran.exit_code == Exit.REFUSED
    assert "[mcp]" in ran.output
