"""Settings in a TOML file equal the variables, which override them."""

from pathlib import Path

import pytest

from deploy.config.access import access
from deploy.config.environment import add_settings_file
from deploy.config.settings import database_url, limits
from deploy.config.table import WrongSetting
from tests.support.processes import command


def environment(path: Path, text: str, **variables: str) -> dict[str, str]:
    """Return the environment of a process with a settings file of this text."""
    path.write_text(text, encoding="utf-8")
    found = {"TRACKER_SETTINGS": str(path), **variables}
    add_settings_file(found)
    return found


FILE = """
database_url = "postgresql://web:secret@db/minerals"
connections = 500
hosts = ["minerals.example.org", "www.example.org"]
oidc_issuer = "https://id.example.org"
oidc_audience = "tracker"

[oidc_scopes]
editors = "record"
"boss:all" = "admin"
"""


def test_every_kind_of_value_is_what_the_variable_would_say(tmp_path: Path) -> None:
    found = environment(tmp_path / "settings.toml", FILE)
    assert database_url(found) == "postgresql://web:secret@db/minerals"
    assert limits(found).connections == 500
    assert access(found).hosts == {"minerals.example.org", "www.example.org"}
    trust = access(found).oidc
    assert trust
    assert {word: scope.value for word, scope in trust.scopes.items()} == {
        "editors": "record",
        "boss:all": "admin",
    }


def test_a_variable_wins_unless_it_is_empty(tmp_path: Path) -> None:
    found = environment(
        tmp_path / "settings.toml",
        "rate = 5\nquestions = 7",
        TRACKER_RATE="9",
        TRACKER_QUESTIONS="",
    )
    assert (access(found).rate, access(found).queries) == (9, 7)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 8000", "did you mean TRACKER_PORT"),
        ("RATE = 1", "RATE is not a setting of a file"),
        ('settings = "other.toml"', "settings is not a setting of a file"),
        ("rate = true", "rate: expected a text"),
        ("rate = 1.5", "rate: expected a text"),
        ("hosts = [1]", "hosts: expected a text"),
        ("rate", "Expected '=' after a key"),
        ("a = \xff", "settings.toml"),
    ],
)
def test_a_value_that_is_not_a_setting_is_named_with_the_file(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(WrongSetting) as raised:
        environment(tmp_path / "settings.toml", text)
    assert said in raised.value.message
    assert str(tmp_path / "settings.toml") in raised.value.message


def test_a_file_that_is_not_there_or_too_large_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match="No such file"):
        add_settings_file({"TRACKER_SETTINGS": str(tmp_path / "nothing.toml")})
    with pytest.raises(WrongSetting, match="expected at most 1048576 bytes"):
        environment(tmp_path / "settings.toml", "#" * 1_048_577)


def test_a_command_reads_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("rate = -1", encoding="utf-8")
    result = command("migrate", data_dir=tmp_path / "data", TRACKER_SETTINGS=str(file))
    assert result.returncode == 2
    assert "TRACKER_RATE" in result.stderr
