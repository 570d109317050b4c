"""`tracker digest`, `tracker alerts` and `tracker serve` as real processes; the settings of mail."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.cli.process import Exit
from deploy.config.mail import mail, mail_secrets
from deploy.config.table import WrongSetting
from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tests.support.database_urls import database_url
from tests.support.mail_server import SECRET, SITE, MailBox, link_in
from tests.support.processes import Running, run
from tracker.alerts.options import MailServer, Tls
from tracker.postgres.database import Target

SETTINGS = {
    "TRACKER_MAIL_SERVER": "smtp://user:pass%2Fword@mail.example.com",
    "TRACKER_MAIL_FROM": "Tracker <alerts@example.com>",
    "TRACKER_MAIL_SITE": "https://minerals.example.com/",
    "TRACKER_MAIL_SECRET": SECRET,
}


def test_a_digest_is_printed_without_a_server(corpus_target: Target) -> None:
    url = database_url(corpus_target)
    arguments = ("--since", "2026-11-01", "--from-position", "17290")
    text = run("digest", "/commodities/gallium", *arguments, TRACKER_DATABASE_URL=url)
    assert text.returncode == Exit.OK, text.stderr
    assert text.stdout.startswith("Subject: Gallium: 2 status changes")
    assert (
        "http://localhost:8000/controls/cn-mofcom-2024-46?valid=2026-11-29&position=" in text.stdout
    )
    wrong = run("digest", "/about", *arguments, TRACKER_DATABASE_URL=url)
    assert wrong.returncode == Exit.REFUSED
    assert "INVALID_TARGET" in wrong.stderr or "has no changes" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("//[",), "path and query of a page of this site"),
        (("/controls", "--site", "foo"), "https://minerals.example.com"),
        (("/controls", "--site", "https://example.com/path"), "https://minerals.example.com"),
    ],
)
def test_a_wrong_argument_of_digest_is_named(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    wrong = run("digest", *arguments, "--since", "2026-11-01", "--data-dir", str(tmp_path))
    assert wrong.returncode == Exit.REFUSED
    assert message in wrong.stderr
    assert "unexpected error" not in wrong.stderr


async def test_a_server_sends_the_confirmation_and_an_operator_deletes_the_address(
    target: Target, box: MailBox, tmp_path: Path
) -> None:
    settings = {
        "TRACKER_DATABASE_URL": database_url(target),
        "TRACKER_MAIL_SERVER": f"smtp://127.0.0.1:{box.port}",
        "TRACKER_MAIL_TLS": "off",
        "TRACKER_MAIL_FROM": "alerts@example.com",
        "TRACKER_MAIL_SITE": SITE,
        "TRACKER_MAIL_SECRET": SECRET,
    }
    running = Running("serve", data_dir=tmp_path / "data", **settings)
    try:
        form = {"target": "/controls", "address": "ann@example.org", "frequency": "daily"}
        own = {"Sec-Fetch-Site": "same-origin"}
        async with httpx2.AsyncClient(base_url=running.url, timeout=60) as client:
            assert (await client.post("/alerts", data=form, headers=own)).status_code == 303
            [message] = await box.wait_for(1)
            assert (await client.post(link_in(message, "/alerts/confirm"))).status_code == 200
        status = run("alerts", "status", **settings)
        assert "1 active, 0 unconfirmed" in status.stdout, status.stderr
        removed = run("alerts", "remove", "ann@example.org", **settings)
        assert "Deleted subscriptions: 1" in removed.stdout, removed.stderr
        assert "@example.org" not in running.output
    finally:
        running.stop()


def test_the_settings_of_mail_are_read() -> None:
    options = mail(SETTINGS)
    assert options is not None
    assert options.server == MailServer("mail.example.com", 587, "user", "pass/word", Tls.STARTTLS)
    assert options.site == "https://minerals.example.com"
    assert {SECRET, "pass/word"} <= set(mail_secrets(SETTINGS))
    assert SECRET not in repr(options)
    assert "pass" not in repr(options)
    assert mail({}) is None


def test_the_settings_of_the_documentation_are_read() -> None:
    text = (ROOT / "docs/operating/mail.md").read_text("utf-8").split("```sh\n")[1].split("```")[0]
    found = re.findall(r"^(TRACKER_\w+)='?([^'\n]*)'?$", text, re.MULTILINE)
    assert len(found) == text.count("TRACKER_") == 4
    assert mail(dict(found)) is not None


@each_case(
    ("variable", "value"),
    [
        ("TRACKER_MAIL_SERVER", "mail.example.com"),
        ("TRACKER_MAIL_SERVER", "smtp://user:hush-hush@"),
        ("TRACKER_MAIL_SERVER", "smtp://mail.example.com:99999"),
        ("TRACKER_MAIL_TLS", "maybe"),
        ("TRACKER_MAIL_FROM", "nobody"),
        ("TRACKER_MAIL_FROM", ""),
        ("TRACKER_MAIL_SITE", "minerals.example.com"),
        ("TRACKER_MAIL_SITE", "https://minerals.example.com/path"),
        ("TRACKER_MAIL_SECRET", "short-and-hush-hush"),
        ("TRACKER_MAIL_RATE", "0"),
    ],
)
def test_a_wrong_setting_is_named_and_no_secret_repeated(variable: str, value: str) -> None:
    environment: dict[str, Any] = {**SETTINGS, variable: value}
    with pytest.raises(WrongSetting, match=variable) as caught:
        mail(environment)
    assert "hush-hush" not in caught.value.message
