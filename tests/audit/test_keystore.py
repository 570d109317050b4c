"""The keys of the log: created once, private, replaced with an overlap."""

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.cli.process import Exit
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.merkle import EMPTY_ROOT
from tracker.audit.format.signed_note import Note, Verifier
from tracker.audit.sign.keystore import KeyStore
from tracker.errors import InvalidInput, NotFound, NotProven, TrackerError


@pytest.fixture
def keystore(tmp_path: Path) -> KeyStore:
    """Create an empty keystore."""
    return KeyStore(tmp_path / "audit")


def test_the_first_start_makes_a_key_that_only_its_owner_can_read(keystore: KeyStore) -> None:
    keys = keystore.load_or_create("example.com/log")
    assert (keys.origin, len(keys.signers)) == ("example.com/log", 1)
    assert str(keystore.keys()) == str(keys)
    assert str(keystore.load_or_create("example.com/log")) == str(keys)
    assert stat.S_IMODE((keystore.directory / "keys").stat().st_mode) == 0o600
    assert stat.S_IMODE(keystore.directory.stat().st_mode) == 0o700
    assert [path.name for path in keystore.directory.iterdir()] == ["keys"]


def test_a_log_without_a_name_gets_one_of_its_own(tmp_path: Path) -> None:
    origins = {KeyStore(tmp_path / name).load_or_create().origin for name in ("a", "b")}
    assert len(origins) == 2
    assert all(origin.startswith("critical-minerals-policy-tracker/") for origin in origins)


def test_processes_that_start_at_once_make_one_key(keystore: KeyStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = {str(keys) for keys in pool.map(lambda _: keystore.load_or_create("a"), range(16))}
    assert made == {str(keystore.keys())}
    assert [path.name for path in keystore.directory.iterdir()] == ["keys"]


def test_keys_of_another_log_are_refused(keystore: KeyStore) -> None:
    keystore.load_or_create("one")
    with pytest.raises(InvalidInput, match="of the log 'one': expected 'other'"):
        keystore.load_or_create("other")


def test_a_lost_key_is_not_replaced_in_silence(keystore: KeyStore) -> None:
    keystore.save_head(Checkpoint(keystore.load_or_create().origin, 5, EMPTY_ROOT))
    (keystore.directory / "keys").unlink()
    with pytest.raises(InvalidInput, match="put it back"):
        keystore.load_or_create()
    with pytest.raises(NotFound, match="makes a key"):
        keystore.keys()


@pytest.mark.parametrize("text", ["", "hunter2\n", "{key}\n", "{secret}\n{other}\n"])
def test_a_file_without_keys_of_one_log_is_refused(
    keystore: KeyStore, text: str, tmp_path: Path
) -> None:
    [signer] = keystore.load_or_create("one").signers
    [other] = KeyStore(tmp_path / "other").load_or_create("other").signers
    (keystore.directory / "keys").write_text(
        text.format(key=signer.verifier, secret=signer.secret, other=other.secret)
    )
    with pytest.raises(InvalidInput) as error:
        keystore.keys()
    assert signer.secret not in str(error.value)


def test_while_keys_overlap_both_sign_and_old_notes_verify_for_ever(keystore: KeyStore) -> None:
    head = Checkpoint(keystore.load_or_create("a").origin, 5, EMPTY_ROOT)
    before = keystore.keys().sign(head)
    overlap = keystore.rotate()
    old, new = overlap.verifiers
    during = keystore.keys().sign(head)
    after = keystore.retire().sign(head)
    assert keystore.keys().verifiers == (new,)
    assert keystore.keys().all == (old, new)
    assert set(before.verified_by([old, new])) == {old}
    assert set(during.verified_by([old, new])) == {old, new}
    assert set(after.verified_by([old, new])) == {new}
    assert stat.S_IMODE((keystore.directory / "keys").stat().st_mode) == 0o600


def test_the_last_head_is_kept(keystore: KeyStore) -> None:
    keystore.load_or_create("a")
    assert keystore.head() is None
    for size in (5, 9):
        keystore.save_head(Checkpoint("a", size, EMPTY_ROOT))
    assert keystore.head() == Checkpoint("a", 9, EMPTY_ROOT)
    assert sorted(path.name for path in keystore.directory.iterdir()) == ["head", "keys"]
    (keystore.directory / "head").write_text("half")
    with pytest.raises(NotProven):
        keystore.head()


@pytest.mark.parametrize(
    ("file", "line"),
    [("keys", b"PRIVATE+KEY+x"), ("keys", b"\xff"), ("keys", b""), ("head", b"\xff")],
)
def test_a_damaged_file_is_named_with_its_path_and_without_its_text(
    keystore: KeyStore, file: str, line: bytes
) -> None:
    keystore.load_or_create("a")
    path = keystore.directory / file
    path.write_bytes(line + b"\n")
    with pytest.raises(TrackerError, match=re.escape(str(path))) as caught:
        keystore.keys() if file == "keys" else keystore.head()
    assert caught.value.code == ("DAMAGED_KEYS" if file == "keys" else "NOT_PROVEN")
    assert "PRIVATE+KEY+x" not in caught.value.message


def test_a_head_that_is_later_is_not_replaced_by_an_earlier_one(keystore: KeyStore) -> None:
    keystore.load_or_create("a")
    for size in (9, 5):
        keystore.save_head(Checkpoint("a", size, EMPTY_ROOT))
    assert keystore.head() == Checkpoint("a", 9, EMPTY_ROOT)


def test_keys_are_shown_and_replaced_on_the_command_line(
    keystore: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_AUDIT_DIR", str(keystore.directory))
    assert keys_after("show", code=Exit.REFUSED) == []
    [old] = keystore.load_or_create("a").verifiers
    assert keys_after("show") == [(old, "signs")]
    (_, _), (new, state) = keys_after("rotate")
    assert state == "signs"
    assert keys_after("rotate", "--finish") == [(old, "retired"), (new, "signs")]
    assert keys_after("show") == [(old, "retired"), (new, "signs")]
    text = str(Checkpoint("a", 5, EMPTY_ROOT))
    Note(text, (keystore.keys().signers[0].sign(text),)).check([new])


def test_a_database_elsewhere_has_no_keys_unless_told_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_DATABASE_URL", "postgresql://db")
    monkeypatch.delenv("TRACKER_AUDIT_DIR", raising=False)
    result = CliRunner().invoke(app, ["key", "show", "--data-dir", str(tmp_path)])
    assert result.exit_code == Exit.REFUSED
    assert "this tracker has no keys" in " ".join(result.stderr.split())


def keys_after(*arguments: str, code: Exit = Exit.OK) -> list[tuple[Verifier, str]]:
    """Return the keys that a command prints, with their use."""
    result = CliRunner().invoke(app, ["key", *arguments])
    assert result.exit_code == code, result.output
    lines = (line.split("\t") for line in result.stdout.splitlines())
    return [(Verifier.parse(key), state) for key, state in lines]
