"""PostgreSQL addresses are parsed exactly or refused, and never shown."""

from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.support.processes import command
from tracker.errors import InvalidInput
from tracker.postgres.database_url import target_from_url

AMBIGUOUS = [
    "pass/word-7",
    "12/34word-7",
    "pass?word-7",
    "pass#word-7",
    "pass word-7",
    "/word-7",
    "pass%word-7",
    "pass%zzword-7",
    "päss/word-7",
    "pass@wo/word-7",
    "pa:ss/word-7@7",
    "pass%00word-7",
    "pass%ffword-7",
    "pass\tword-7",
    "pass?word=7&a=word-7",
]
"""Passwords that need escaping in an address."""
PLAIN = [
    "word-7",
    "pass@word-7",
    "pass[word-7",
    "pass℀word-7",
    "pässword-7",
    "a:b]word-7",
    quote("wrong/word-7@%#", safe=""),
]
"""Passwords that may."""


@each_case(
    ("url", "expected"),
    [
        ("postgresql://", {}),
        (
            "postgres://ann@db.example.org/minerals",
            {"user": "ann", "host": ["db.example.org"], "database": "minerals"},
        ),
        (
            "postgresql://ann:secret@db:5433",
            {"user": "ann", "password": "secret", "host": ["db"], "port": [5433]},
        ),
        (
            "postgresql://ann:a:b@c@db/m",
            {"user": "ann", "password": "a:b@c", "host": ["db"], "database": "m"},
        ),
        (
            "postgresql://a%40b:%2F%3f%25%23é@db",
            {"user": "a@b", "password": "/?%#é", "host": ["db"]},
        ),
        ("postgresql://one:1,two/m", {"host": ["one", "two"], "port": [1, 5432], "database": "m"}),
        (
            "postgresql://[2001:db8::1]:5433/m",
            {"host": ["2001:db8::1"], "port": [5433], "database": "m"},
        ),
        ("postgresql://:5433/m", {"port": [5433], "database": "m"}),
        ("postgresql://%2Frun%2Fpg/m", {"host": ["/run/pg"], "database": "m"}),
        (
            "postgresql://ann@/m?host=/run/pg&port=5433&password=a%20b",
            {
                "user": "ann",
                "database": "m",
                "host": ["/run/pg"],
                "port": [5433],
                "password": "a b",
            },
        ),
        (
            "postgresql:///?dbname=m&sslmode=require&options=-c%20geqo=off",
            {"database": "m", "dsn": "postgresql://?sslmode=require&options=-c%20geqo=off"},
        ),
    ],
)
def test_an_address_is_read_as_postgresql_reads_it(url: str, expected: dict[str, Any]) -> None:
    assert target_from_url(url) == expected


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_every_password_can_be_given(password: str) -> None:
    target = target_from_url(f"postgresql://ann:{quote(password, safe='')}@db/m")
    assert (target["password"], target["host"]) == (password, ["db"])


@each_case(
    "url",
    [
        "",
        "db",
        "mysql://db/m",
        "postgresql:/db",
        "postgresql://db:port/m",
        "postgresql://db:0/m",
        "postgresql://db:99999/m",
        "postgresql://db:٣/m",
        "postgresql://[::1/m",
        "postgresql://a,,b/m",
        "postgresql://db/m?sslmode",
        "postgresql://db/m?port=x",
        "postgresql://a,b/m?port=1,2,3",
        "postgresql://db/m?SSL MODE=x",
        "postgresql://db/m/n",
        "postgresql://db/m?connect_timeout=0",
        "postgresql://db/m?connect_timeout=2.5",
        "postgresql://db/m?target_session_attrs=master",
        *(f"postgresql://ann:{secret}@db.example.net/minerals" for secret in AMBIGUOUS),
    ],
)
def test_an_ambiguous_url_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        target_from_url(url)
    assert refused.value.__cause__ is None
    for part in ("word-7", "pass/", "12", "ann", "net", "minerals", "99999"):
        assert part not in refused.value.message


@each_case("secret", PLAIN)
def test_an_unambiguous_url_is_accepted(secret: str) -> None:
    target = target_from_url(f"postgresql://ann:{secret}@db.example.net/minerals")
    assert (target["password"], target["host"]) == (unquote(secret), ["db.example.net"])


@pytest.mark.parametrize("secret", [*AMBIGUOUS, *PLAIN])
def test_no_command_tells_anybody_a_password(tmp_path: Path, secret: str) -> None:
    # An ambiguous URL is refused whatever its host.
    for host in ("127.0.0.1:1", "nowhere.invalid")[: 1 if secret in AMBIGUOUS else 2]:
        result = command(
            "migrate",
            data_dir=tmp_path / "data",
            TRACKER_LOG_LEVEL="debug",
            TRACKER_DATABASE_URL=f"postgresql://ann:{secret}@{host}/minerals",
        )
        said = result.stdout + result.stderr
        assert "word-7" not in said
        assert "Traceback" not in said
        assert result.returncode in (2, 3), said
        assert "TRACKER_DATABASE_URL" in said or "can't be reached" in said
