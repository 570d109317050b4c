"""TOML source files, whose errors are reported with their location."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.watching import GazetteOptions, find_adapter
from tracker.watch.adapter import SourceSettings
from tracker.watch.registry import adapter_named
from tracker.watch.settings import WrongSources, load_sources

TABLE = """
[gazette]
adapter = "gazette"
name = "The gazette"
publisher = "federal-register"
issuers = ["US"]
address = "https://example.com/gazette"
"""

Load = Callable[[str], tuple[SourceSettings, ...]]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Return a function that loads the sources of a text in place of the built-in ones."""
    file = tmp_path / "sources.toml"
    monkeypatch.setattr("tracker.watch.settings.SHIPPED", file)

    def load(text: str) -> tuple[SourceSettings, ...]:
        file.write_text(text)
        return load_sources(None, find_adapter)

    return load


def test_a_source_has_what_its_table_says_and_sound_defaults(load: Load) -> None:
    [found] = load(TABLE + "[gazette.options]\nread = false\n")
    assert (found.key, found.adapter, found.address) == (
        "gazette",
        "gazette",
        "https://example.com/gazette",
    )
    assert (found.every_hours, found.pause_seconds, found.issuers) == (24, 1, ("US",))
    assert found.options == GazetteOptions(read=False)


@pytest.mark.parametrize(("every", "hours"), [("30m", 0.5), ("12h", 12), ("7d", 168)])
def test_a_rhythm_is_given_in_minutes_hours_or_days(load: Load, every: str, hours: float) -> None:
    [found] = load(TABLE + f'every = "{every}"\n')
    assert found.every_hours == pytest.approx(hours)


@pytest.mark.parametrize(
    ("lines", "path", "message"),
    [
        ('every = "1m"', "gazette.every", "from 5m to 366d"),
        ('every = "often"', "gazette.every", "such as 30m, 12h or 7d"),
        ("pause_seconds = 0", "gazette.pause_seconds", "0.1"),
        ("secret = 1", "gazette", "secret"),
        ("covers = 1", "gazette.covers", "str"),
        ("[gazette.options]\nred = true", "gazette.options", "red"),
        ("[gazette.options]\nread = 1", "gazette.options.read", "bool"),
        ("[Wrong]\nadapter = 'gazette'", "Wrong", "small letters"),
        ("[other]\nwatched = true", "other", "adapter"),
        ("[other]\nwatched = false", "other", "no source that ships"),
        (r'covers = "a\u202eb"', "gazette.covers", "U+202E"),
    ],
)
def test_a_mistake_is_reported_by_its_place(
    load: Load, lines: str, path: str, message: str
) -> None:
    with pytest.raises(WrongSources) as raised:
        load(TABLE + lines)
    assert ".".join(map(str, raised.value.path)) == path
    assert message in raised.value.message
    assert f": {path}" in raised.value.message


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('adapter = "psychic"', "adapter"),
        (r'name = "\u001b[31m"', "name"),
        ('name = " "', "name"),
        ('address = "ftp://example.com"', "address"),
        ('address = "https://me:secret@example.com"', "address"),
        ('publisher = "Nobody Else"', "publisher"),
        ('issuers = ["Nobody"]', "issuers"),
    ],
)
def test_a_value_that_can_not_be_is_refused(load: Load, line: str, field: str) -> None:
    lines = [each for each in TABLE.splitlines() if not each.startswith(field)]
    with pytest.raises(WrongSources) as raised:
        load("\n".join([*lines, line]))
    assert raised.value.path[:2] == ("gazette", field)


def test_a_value_that_is_not_toml_is_reported_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[a b]\n")
    with pytest.raises(WrongSources, match=r"mine\.toml: .*line 1"):
        load_sources(file, adapter_named)
    with pytest.raises(WrongSources, match="No such file"):
        load_sources(tmp_path / "nothing.toml", adapter_named)


def test_a_file_may_begin_with_the_mark_of_its_encoding(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(TABLE.replace('adapter = "gazette"', 'adapter = "feed"'), "utf-8-sig")
    assert "gazette" in {each.key for each in load_sources(file, adapter_named)}


def test_the_sources_that_ship_can_be_read() -> None:
    shipped = load_sources(None, adapter_named)
    assert shipped == tuple(sorted(shipped, key=lambda each: each.key))
    assert all(each.address.startswith("https://") for each in shipped)


def test_each_source_that_ships_can_be_replaced_or_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, file = tmp_path / "shipped.toml", tmp_path / "mine.toml"
    shipped.write_text("".join(TABLE.replace("[gazette]", f"[{key}]") for key in "abc"))
    monkeypatch.setattr("tracker.watch.settings.SHIPPED", shipped)
    file.write_text(
        "[a]\nwatched = false\n" + TABLE.replace("[gazette]", "[b]").replace("The", "My") + TABLE
    )
    found = load_sources(file, find_adapter)
    assert [(each.key, each.name) for each in found] == [
        ("b", "My gazette"),
        ("c", "The gazette"),
        ("gazette", "The gazette"),
    ]
