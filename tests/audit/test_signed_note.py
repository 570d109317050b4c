"""Signed notes of C2SP: examples of the specifications verify, changed ones do not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.support.merkle_proofs import all_tiles
from tests.support.static_log import write_file
from tests.support.sumdb import sumdb, verified
from tracker.audit.format.checkpoint import Checkpoint, ConsistencyProof, InclusionProof
from tracker.audit.format.frontier import root_of_leaves, root_over
from tracker.audit.format.merkle import EMPTY_ROOT
from tracker.audit.format.signed_note import COSIGNATURE, Note, Signer, Verifier
from tracker.errors import InvalidInput, NotProven
from tracker.log.entry_hash import leaf_hash

# The example of golang.org/x/mod/sumdb/note: the key of PeterNeumann and a note signed by it.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
SPEECH = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
SIGNED = (
    f"{SPEECH}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"
    "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="+"), min_size=1)
TEXTS = st.text(st.characters(exclude_categories=["C"])).map(lambda text: text + "\n")


@pytest.fixture
def signer() -> Signer:
    """Return the key of a log."""
    return Signer.new("example.com/log")


@pytest.fixture
def witness() -> Signer:
    """Return the key of a witness."""
    return Signer.new("witness.example/w1", COSIGNATURE)


def test_the_example_of_go_is_read_and_made_again() -> None:
    note, key = Note.parse(SIGNED.encode()), Verifier.parse(PETER)
    assert note.verified_by([key]) == {key: None}
    assert Signer.parse(SECRET).verifier == key
    assert str(Note(SPEECH, (Signer.parse(SECRET).sign(SPEECH),))) == SIGNED


@given(NAMES, TEXTS)
def test_a_signed_note_is_read_unchanged(name: str, text: str) -> None:
    signer = Signer.new(name)
    note = Note(text, (signer.sign(text),))
    read = Note.parse(str(note).encode())
    assert read == note
    assert read.verified_by([Verifier.parse(str(signer.verifier))]) == {signer.verifier: None}
    assert Signer.parse(signer.secret).verifier == signer.verifier


def test_a_text_may_have_empty_lines(signer: Signer) -> None:
    text = "one\n\ntwo\n"
    note = Note.parse(str(Note(text, (signer.sign(text),))).encode())
    assert note.text == text
    note.check([signer.verifier])


def test_a_witness_signs_a_time_as_well(signer: Signer, witness: Signer) -> None:
    text = str(Checkpoint(signer.name, 5, EMPTY_ROOT))
    note = Note(text, (signer.sign(text), witness.sign(text, 1_679_315_147)))
    keys = [Verifier.parse(str(key.verifier)) for key in (signer, witness)]
    assert note.verified_by(keys) == {keys[0]: None, keys[1]: 1_679_315_147}
    later = note.signatures[1].signature
    later = (1_679_315_148).to_bytes(8, "big") + later[8:]
    with pytest.raises(NotProven, match="does not fit"):
        keys[1].verify(text, later)


def test_unknown_keys_are_passed_over_and_known_ones_must_fit(signer: Signer) -> None:
    other, text = Signer.new(signer.name), "text\n"
    note = Note(text, (other.sign(text), signer.sign(text)))
    assert note.verified_by([signer.verifier]) == {signer.verifier: None}
    note.check([signer.verifier])
    with pytest.raises(NotProven, match="not signed by a known key"):
        note.check([Signer.new(signer.name).verifier])
    with pytest.raises(NotProven, match="does not fit"):
        Note("tex\n", note.signatures).verified_by([signer.verifier])


@each_case(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        SIGNED.encode()[:-1],
        SIGNED.encode() + b"more",
        SIGNED.encode().replace("— ".encode(), b"- "),
        SIGNED.encode().replace(b"AM=", b"AM"),
        SIGNED.encode().replace(b"AM=", b"AN="),
        SIGNED.encode().replace(b"If", b"\x01"),
        SIGNED.encode().replace(b"If", b"\xff"),
        SIGNED.encode().replace(b"PeterN", b"Peter N"),
        SIGNED.encode().replace("— Pet".encode(), "—  Pet".encode()),
        SIGNED.encode() * 2 + b"x" * 1_000_000,
        SPEECH.encode() + SIGNED.encode()[-160:] * 200,
        "text\n\n— name AAAA\n".encode(),
    ],
)
def test_a_value_that_is_not_a_note_is_refused(data: bytes) -> None:
    with pytest.raises(NotProven):
        Note.parse(data).check([Verifier.parse(PETER)])


@each_case(
    "key",
    [
        "",
        "a",
        PETER[:-1],
        PETER.replace("c74f", "c74e"),
        PETER.replace("Peter", "Petra"),
        PETER.replace("+A", "+B"),
        PETER.replace("PeterN", "Peter N"),
        PETER + "\n",
        SECRET,
        "a+00000000+AAAA",
    ],
)
def test_a_value_that_is_not_a_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput, match="verifier key"):
        Verifier.parse(key)


@each_case("secret", ["", "hunter2", PETER, SECRET[:-4], SECRET.replace("c7", "c8")])
def test_a_value_that_is_not_a_private_key_is_refused_without_telling_it(secret: str) -> None:
    with pytest.raises(InvalidInput) as error:
        Signer.parse(secret)
    assert not secret or secret not in str(error.value)


@each_case("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "a\0b", "a\u202eb"])
def test_a_key_has_a_name_that_lines_can_hold(name: str) -> None:
    with pytest.raises(InvalidInput, match="without spaces"):
        Signer.new(name)


@given(NAMES, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_as_it_was(origin: str, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin, size, root)
    assert Checkpoint.parse(str(checkpoint)) == checkpoint
    assert Checkpoint.parse(f"{checkpoint}extension\n") == checkpoint


@each_case(
    "text",
    [
        "",
        "a\n1\n",
        "a\n1\nAAAA\n",
        "a\n01\n{root}\n",
        "a\n-1\n{root}\n",
        "a\n١\n{root}\n",
        "a\n\n{root}\n",
        "a\n1\n{root}",
        "a\n1\n{root}\n\n",
        "a\n9223372036854775808\n{root}\n",
        "\n1\n{root}\n",
        "a\n1\n{root}x\n",
    ],
)
def test_a_value_that_is_not_a_checkpoint_is_refused(text: str) -> None:
    root = str(Checkpoint("a", 1, EMPTY_ROOT)).split("\n")[2]
    with pytest.raises(NotProven):
        Checkpoint.parse(text.format(root=root))


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_proofs_are_read_as_they_were(number: int, hashes: list[bytes]) -> None:
    inclusion = InclusionProof(number, tuple(hashes), SIGNED)
    assert InclusionProof.parse(str(inclusion)) == inclusion
    extra = str(inclusion).replace("\nindex", "\nextra QUJD\nindex", 1)
    assert InclusionProof.parse(extra) == inclusion
    consistency = ConsistencyProof(number, tuple(hashes), SIGNED)
    assert ConsistencyProof.parse(str(consistency)) == consistency


@each_case(
    "text",
    [
        "",
        "index 1\n\n",
        "c2sp.org/tlog-proof@v1\n\n",
        "c2sp.org/tlog-proof@v1\nindex x\n\n",
        "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\n",
        "old x\n\n",
        "old 1\nAAAA\n\n",
        "old\n\n",
    ],
)
def test_a_value_that_is_not_a_proof_is_refused(text: str) -> None:
    for kind in (InclusionProof, ConsistencyProof):
        with pytest.raises(NotProven):
            kind.parse(text)


def test_go_verifies_a_log_of_ours_and_we_its_notes(tmp_path: Path, signer: Signer) -> None:
    program = sumdb(tmp_path)
    secret, key, *_ = said = verified(program, "sign", "go.example", "by Go\n").split("\n")
    note = Note.parse("\n".join(said[2:]).encode())
    note.check([Verifier.parse(key)])
    assert note.signatures == (Signer.parse(secret).sign("by Go\n"),)

    for size in (1, 255, 256, 257, 700):
        log = tmp_path / str(size)
        write_log(log, signer, [b"entry %d" % index for index in range(size)])
        assert verified(program, str(log), str(signer.verifier)).startswith(f"{size} entries")


def write_log(directory: Path, signer: Signer, entries: list[bytes]) -> None:
    """Write a log in its served form to a directory."""
    levels = [[leaf_hash(entry) for entry in entries]]
    while len(levels[-1]) >= 256:
        levels.append(
            [root_over(levels[-1][i : i + 256]) for i in range(0, len(levels[-1]) - 255, 256)]
        )
    for tile in all_tiles(len(entries)):
        first = tile.number * 256
        write_file(
            directory / "tile" / tile.path, b"".join(levels[tile.level][first : first + tile.width])
        )
        if tile.level == 0:
            write_file(
                directory / "tile" / tile.entries_path,
                b"".join(
                    len(entry).to_bytes(2, "big") + entry
                    for entry in entries[first : first + tile.width]
                ),
            )
    text = str(Checkpoint(signer.name, len(entries), root_of_leaves(levels[0])))
    write_file(directory / "checkpoint", str(Note(text, (signer.sign(text),))).encode())
