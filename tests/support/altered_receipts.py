"""Altered receipts of the test vectors: each with the code of its rejection and the failing checks of a page.

Some are altered in transit, by anyone. Others are signed by the holder of the key: an operator who lies.
"""

import base64
import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785
from graphql import parse, print_ast

from tests.support.receipt_vectors import (
    ANSWER,
    DOCUMENT,
    ENTRIES,
    LOG,
    VARIABLES,
    WITNESS,
    checkpoint,
    receipt,
)
from tests.support.tampered_logs import grown
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.signed_note import Note, Signature, Signer
from tracker.snapshots.digest import sha256_of

ALL = "signature consistency answer moment page"
"""The checks of a page: all of them fail for a file that is not a receipt."""
NEW = Signer.new(LOG.name)
STRANGER = Signer.new("stranger.example.com/log")
Tree = dict[str, Any]


@dataclass(frozen=True)
class Altered:
    """An altered receipt; `page` has the failing checks of a page, empty if only the program finds it."""

    name: str
    file: bytes
    code: str
    page: str = ALL


def content() -> Tree:
    """Return the file of the vectors as a tree."""
    made: Tree = json.loads(str(receipt()))
    return made


def statement() -> Tree:
    """Return the statement of the vectors as a tree."""
    made: Tree = json.loads(receipt().note.text.split("\n")[1])
    return made


def text_of(line: Tree | str, header: str = "tracker-receipt/v2") -> str:
    """Return the text of a note with a statement."""
    written = line if isinstance(line, str) else rfc8785.dumps(line).decode()
    return f"{header}\n{written}\n"


def signed(text: str, *signers: Signer) -> str:
    """Return a note, signed for receipts."""
    keys = [signer.for_receipts for signer in signers or (LOG,)]
    return str(Note(text, tuple(key.sign(text) for key in keys)))


def file(note: str, answer: Any = ANSWER, **others: Any) -> bytes:
    """Return a file."""
    return rfc8785.dumps({"answer": answer, "receipt": note, **others}) + b"\n"


def lie(change: Callable[[Tree], Any], answer: Any = ANSWER) -> bytes:
    """Return the file of a changed statement, signed by the log."""
    changed = statement()
    change(changed)
    return file(signed(text_of(changed)), answer)


def setting(*path: str | int, to: Any) -> Callable[[Tree], None]:
    """Return a change of a value in a tree."""

    def change(tree: Any) -> None:
        for name in path[:-1]:
            tree = tree[name]
        tree[path[-1]] = to

    return change


def raw_query(document: str, variables: Mapping[str, Any] | None = None) -> Callable[[Tree], None]:
    """Return a change of the query to the text of a document."""
    name = "Q" if "query Q" in document else None
    operation = {"document": document, "operationName": name, "variables": variables or {}}
    return setting("operation", to=operation)


def query(document: str, variables: Mapping[str, Any] | None = None) -> Callable[[Tree], None]:
    """Return a change of the query to a printed document."""
    return raw_query(print_ast(parse(document)), variables)


def at(*moments: tuple[str, str]) -> Callable[[Tree], None]:
    """Return a change of the moments."""

    def change(tree: Tree) -> None:
        first = tree["moments"][0]
        tree["moments"] = [
            {**first, "validAt": day, "position": position} for day, position in moments
        ]

    return change


def both(*changes: Callable[[Tree], Any]) -> Callable[[Tree], None]:
    """Return several changes in order."""

    def change(tree: Tree) -> None:
        for each in changes:
            each(tree)

    return change


def altered_bytes() -> Iterator[Altered]:
    """Yield files with other bytes of the same content, and files that are not receipts."""
    whole = str(receipt()).encode()
    tree = content()
    pretty = json.dumps(tree, sort_keys=True, ensure_ascii=False).encode()
    swapped = b'{"receipt":%s,"answer":%s}\n' % (
        rfc8785.dumps(tree["receipt"]),
        rfc8785.dumps(tree["answer"]),
    )
    for name, data in {
        "a byte order mark": b"\xef\xbb\xbf" + whole,
        "a space before": b" " + whole,
        "a space after": whole[:-1] + b" \n",
        "two final newlines": whole + b"\n",
        "a carriage return": whole[:-1] + b"\r\n",
        "spaces after colons": pretty,
        "reordered members": swapped,
        "reordered members of the answer": whole.replace(
            b'"nodes":[],"totalCount":0', b'"totalCount":0,"nodes":[]'
        ),
        "1.0 for 1": whole.replace(b'"totalCount":0', b'"totalCount":0.0'),
        "an exponent": whole.replace(b'"totalCount":0', b'"totalCount":0e0'),
        "minus zero": whole.replace(b'"totalCount":0', b'"totalCount":-0'),
        "a long fraction": whole.replace(b'"share":0.25', b'"share":0.250'),
        "another exponent": whole.replace(b"1e+21", b"1E21"),
        "an escaped letter": whole.replace(b"gallium \xe2", b"\\u0067allium \xe2"),
        "an escaped slash": whole.replace(b"tracker-receipt/v2", b"tracker-receipt\\/v2"),
        "an escaped letter in the note": whole.replace(b"example.com", b"ex\\u0061mple.com", 1),
        "a doubled member": whole.replace(b'"answer":', b'"answer":null,"answer":', 1),
        "a doubled member of the answer": whole.replace(b'"ok":true', b'"ok":false,"ok":true'),
        "an unknown member": file(tree["receipt"], more=1),
        "an unknown member null": file(tree["receipt"], more=None),
        "no answer": rfc8785.dumps({"receipt": tree["receipt"]}) + b"\n",
        "no note": rfc8785.dumps({"answer": ANSWER}) + b"\n",
        "a number as the note": rfc8785.dumps({"answer": ANSWER, "receipt": 1}),
        "null as the note": rfc8785.dumps({"answer": ANSWER, "receipt": None}),
        "a number as the timestamp": file(tree["receipt"], timestamp=1),
        "null as the timestamp": file(tree["receipt"], timestamp=None),
        "a list around it": b"[" + whole[:-1] + b"]\n",
        "nothing": b"",
        "null": b"null\n",
        "the first half": whole[: len(whole) // 2],
        "a missing brace": whole[:-2],
        "the checkpoint as a receipt": file(str(checkpoint())),
        "bytes that are not UTF-8": whole.replace(b"quoted", b"\xff\xfe"),
        "a deep list": b"[" * 100_000,
    }.items():
        assert data != whole, name
        yield Altered(name, data, "BAD_RECEIPT")


def altered_notes() -> Iterator[Altered]:
    """Yield notes with other lines."""
    note = receipt().note
    text, line = note.text, str(note.signatures[0])
    receipts = STRANGER.for_receipts.sign(text)
    as_checkpoint = LOG.sign(text)
    new = NEW.for_receipts.sign(text)
    [own] = note.signatures

    def with_lines(*lines: object) -> bytes:
        return file("\n".join([text, *map(str, lines), ""]))

    signature = f"{text}\n{line}\n"
    for name, data in {
        "the first line of no version": file(signed(text_of(statement(), "tracker-receipt/v0"))),
        "the first line of a later version": file(
            signed(text_of(statement(), "tracker-receipt/v9"))
        ),
        "no first line": file(signed(text.split("\n", 1)[1])),
        "a third line": file(signed(text + "more\n")),
        "an empty third line": file(signed(text + "\n")),
        "two statements": file(signed(text + text.split("\n")[1] + "\n")),
        "no signature": with_lines(),
        "no empty line before the signature": file(f"{text}{line}\n"),
        "a signature with a hyphen": with_lines(line.replace("—", "-")),
        "a signature with a word more": with_lines(line + " more"),
        "an empty line after the signature": file(signature + "\n"),
        "an empty line between two signatures": with_lines(line, "", line),
        "no final newline of the note": file(signature[:-1]),
        "a tab in the note": file(signature.replace("critical", "\tcritical")),
        "base64 without its padding": with_lines(line.rstrip("=")),
        "other base64 of the same bytes": with_lines(other_base64(line)),
        "a hundred and one signatures": with_lines(*[line] * 101),
    }.items():
        yield Altered(name, data, "BAD_RECEIPT")
    yield Altered("a repeated signature", with_lines(line, line), "BAD_RECEIPT", "signature")
    for name, data in {
        "a signature of a stranger beside it": with_lines(line, receipts),
        "a signature of a stranger before it": with_lines(receipts, line),
        "only a signature of a stranger": with_lines(receipts),
        "a signature of an unknown key of the log": with_lines(line, new),
        "the signature of a checkpoint beside it": with_lines(line, as_checkpoint),
        "only the signature of a checkpoint": with_lines(as_checkpoint),
        "a cosignature beside it": with_lines(line, WITNESS.sign(text, 1)),
        "the name of another log": with_lines(Signature("example.org/log", own.id, own.signature)),
        "an unknown id": with_lines(Signature(LOG.name, own.id ^ 1, own.signature)),
    }.items():
        yield Altered(name, data, "UNKNOWN_KEY", "signature")
    for name, data in {
        "the signature of another text": with_lines(LOG.for_receipts.sign(text + "x")),
        "a checkpoint's signature under the id for receipts": with_lines(
            Signature(LOG.name, own.id, as_checkpoint.signature)
        ),
        "a short signature": with_lines(Signature(LOG.name, own.id, own.signature[:63])),
        "a long signature": with_lines(Signature(LOG.name, own.id, own.signature + b"\0")),
    }.items():
        yield Altered(name, data, "BAD_SIGNATURE", "signature")


def other_base64(line: str) -> str:
    """Return a signature line whose base64 has other unused bits."""
    head, encoded = line.rsplit(" ", 1)
    data = base64.b64decode(encoded)
    last = encoded.rstrip("=")[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stem = encoded.rstrip("=")[:-1]
    other = next(
        text
        for letter in alphabet
        if letter != last and base64.b64decode(text := stem + letter + "=") == data
    )
    return f"{head} {other}"


def altered_statements() -> Iterator[Altered]:
    """Yield statements that were changed after their signature."""
    note = receipt().note
    for path, value, page in (
        (("operation", "document"), DOCUMENT.replace("exportControls", "alliances"), "page"),
        (("operation", "variables", "c"), "germanium", "page"),
        (("moments", 0, "stateDigest"), "ac" * 32, ""),
        (("moments", 0, "stateFormat"), 3, ""),
        (("moments", 0, "completeness"), "All lists were read.", ""),
        (("answerSha256",), "ab" * 32, "answer"),
        (("schemaSha256",), "ab" * 32, ""),
        (("derivation",), 2, ""),
        (("software",), "critical-minerals-policy-tracker 0.2.0", ""),
        (("issuedAt",), "2026-11-29T12:00:01Z", ""),
        (("origin",), "example.org/log", ""),
        (("moments", 0, "validAt"), "2025-11-21", "moment page"),
        (("moments", 0, "position"), "3", "moment page"),
    ):
        tree = statement()
        setting(*path, to=value)(tree)
        data = file(str(Note(text_of(tree), note.signatures)))
        name = ".".join(map(str, path))
        yield Altered(f"another {name}", data, "BAD_SIGNATURE", f"signature {page}".strip())


def invalid_statements() -> Iterator[Altered]:
    """Yield signed statements that do not have the form of a statement."""
    tree = statement()
    line = rfc8785.dumps(tree).decode()

    def written(changed: str) -> bytes:
        assert changed != line
        return file(signed(text_of(changed)))

    for name, data in {
        "a space in the statement": written(line.replace('"derivation":1', '"derivation": 1')),
        "1.0 in the statement": written(line.replace('"derivation":1', '"derivation":1.0')),
        "an escape in the statement": written(line.replace("No list", "No l\\u0069st")),
        "reordered members of the statement": written("{" + line[1:-1].partition(",")[2] + "}"),
        "a doubled member of the statement": written('{"derivation":2,' + line[1:]),
        "a list as the statement": written(f"[{line}]"),
        "an unknown member of the statement": lie(setting("more", to=1)),
        "an unknown member of the operation": lie(setting("operation", "more", to=1)),
        "an unknown member of a moment": lie(setting("moments", 0, "more", to=1)),
        **{
            f"no {name} in the statement": lie(lambda tree, name=name: tree.pop(name))  # type: ignore[misc]
            for name in tree
        },
        "no variables": lie(lambda tree: tree["operation"].pop("variables")),
        "no name of the query": lie(lambda tree: tree["operation"].pop("operationName")),
        "a list of variables": lie(setting("operation", "variables", to=[])),
        "a number as the position": lie(setting("moments", 0, "position", to=4)),
        "a position with a zero": lie(setting("moments", 0, "position", to="04")),
        "a negative position": lie(setting("moments", 0, "position", to="-4")),
        "a date that does not exist": lie(setting("moments", 0, "validAt", to="2025-02-30")),
        "a date with a time": lie(setting("moments", 0, "validAt", to="2025-11-20T00:00:00Z")),
        "a short digest": lie(setting("answerSha256", to="ab" * 31)),
        "an upper-case digest": lie(setting("schemaSha256", to="AB" * 32)),
        "a digest of the state that is none": lie(
            setting("moments", 0, "stateDigest", to="x" * 64)
        ),
        "text as the derivation": lie(setting("derivation", to="1")),
        "text as the format": lie(setting("moments", 0, "stateFormat", to="2")),
        "a number as the software": lie(setting("software", to=1)),
        "a number for omitted": lie(setting("answerOmitted", to=0)),
        "a time with fractions": lie(setting("issuedAt", to="2026-11-29T12:00:00.500Z")),
        "a time of another zone": lie(setting("issuedAt", to="2026-11-29T13:00:00+01:00")),
        "no moment": lie(setting("moments", to=[])),
        "eleven moments": lie(at(*[(f"2025-11-{day:02}", "4") for day in range(10, 21)])),
        "an omitted answer in the file": lie(setting("answerOmitted", to=True)),
    }.items():
        yield Altered(name, data, "BAD_RECEIPT")
    for name, change in {
        "a comment in the query": raw_query(DOCUMENT + "# text of a stranger", VARIABLES),
        "a query that is not printed": raw_query(" ".join(DOCUMENT.split()), VARIABLES),
        "an undeclared variable": setting("operation", "variables", "more", to="x"),
        "another query beside it": raw_query(f"{DOCUMENT}\n\nquery B {{\n  head\n}}", VARIABLES),
        "a fragment without use": raw_query(
            f"{DOCUMENT}\n\nfragment F on AsOf {{\n  position\n}}", VARIABLES
        ),
        "a description in the query": raw_query(f'"text of a stranger"\n{DOCUMENT}', VARIABLES),
        "no query": raw_query("query Q("),
        "an empty query": raw_query(""),
        "a mutation": raw_query(DOCUMENT.replace("query", "mutation"), VARIABLES),
        "the name of no query": setting("operation", "operationName", to="P"),
        "the query without its name": setting("operation", "operationName", to=None),
        "a large query": raw_query(DOCUMENT.replace("key", "a" * 20_001), VARIABLES),
        "large variables": setting("operation", "variables", "c", to="x" * 20_001),
    }.items():
        yield Altered(name, lie(change), "BAD_RECEIPT", "page")


def as_of(*arguments: str, definitions: str = "") -> str:
    """Return a printed query of one moment."""
    return f"{definitions}{{\n  asOf({', '.join(arguments)}) {{\n    position\n  }}\n}}"


def over(last: str, step: str = "MONTH", position: str = "4") -> str:
    """Return a printed query of many days from 31 January 2025."""
    return (
        f'{{\n  over(from: "2025-01-31", to: "{last}", step: {step}, position: "{position}")'
        " {\n    validAt\n  }\n}"
    )


def changes(since: str, to: str) -> str:
    """Return a printed comparison."""
    return f"{{\n  changes(from: {{{since}}}, to: {{{to}}}) {{\n    totalCount\n  }}\n}}"


FIXED = ('validAt: "2025-11-20"', 'position: "4"')
DAY, POSITION = FIXED
BY_VARIABLE = as_of("validAt: $d", POSITION, definitions="query Q($d: Day) ")
BY_DEFAULT = as_of(DAY, "position: $p", definitions='query Q($p: Position = "4") ')
TO_DEFAULT = BY_DEFAULT.replace("position: $p", 'position: $p, minPosition: "1"')
CLAMPED = (("2025-01-31", "4"), ("2025-02-28", "4"), ("2025-03-31", "4"))
FUTURE = 'knownAt: "2030-01-01T00:00:00Z"'

TRUE_MOMENTS: Mapping[str, Callable[[Tree], None]] = {
    "by variable": both(query(BY_VARIABLE, {"d": "2025-11-20"})),
    "by default": both(query(BY_DEFAULT)),
    "a number as the position": query(as_of(DAY, "position: 4")),
    "two fields": both(
        query(
            as_of(*FIXED)[:-2]
            + '\n  old: asOf(validAt: "2024-01-01", position: "3") {\n    position\n  }\n}'
        ),
        at(("2024-01-01", "3"), ("2025-11-20", "4")),
    ),
    "clamped months": both(query(over("2025-03-31")), at(*CLAMPED)),
    "days up to the last one": both(
        query(over("2025-02-01", "DAY")), at(("2025-01-31", "4"), ("2025-02-01", "4"))
    ),
    "changes": both(
        query(changes('validAt: "2025-01-01"', ", ".join(FIXED))),
        at(("2025-01-01", "4"), ("2025-11-20", "4")),
    ),
    "days of transitions": both(
        query(
            '{\n  over(from: "2025-01-31", to: "2025-11-20", atTransitions: {entity: "alliance/quad"},'
            ' position: "4") {\n    validAt\n  }\n}'
        ),
        at(("2025-01-31", "4"), ("2025-06-01", "4")),
    ),
    "a fragment": query(
        "{\n  ...F\n}\n\nfragment F on Query {\n  asOf("
        + ", ".join(FIXED)
        + ") {\n    position\n  }\n}"
    ),
}
"""Changes of query and moments that fit each other."""


def wrong_moments() -> Iterator[Altered]:
    """Yield signed statements whose moments are not those of their queries."""
    own = ("2025-11-20", "4")
    for name, change in {
        "another date": at(("2020-01-01", "4")),
        "another position": at(("2025-11-20", "3")),
        "another date and position": at(("2020-01-01", "2")),
        "a further date": at(("2020-01-01", "4"), own),
        "a further position": at(("2025-11-20", "2"), own),
        "a further later date": at(own, ("2026-01-01", "4")),
        "the moment twice": at(own, own),
        "moments in another order": both(TRUE_MOMENTS["changes"], at(own, ("2025-01-01", "4"))),
        "a missing moment of changes": both(TRUE_MOMENTS["changes"], at(own)),
        "another first moment of changes": both(
            TRUE_MOMENTS["changes"], at(("2025-01-02", "4"), own)
        ),
        "another position of the first moment of changes": both(
            TRUE_MOMENTS["changes"], at(("2025-01-01", "3"), own)
        ),
        "another date by variable": query(BY_VARIABLE, {"d": "2025-11-19"}),
        "another position by default": both(TRUE_MOMENTS["by default"], at(("2025-11-20", "3"))),
        "a variable beside its default": query(BY_DEFAULT, {"p": "3"}),
        "a month that is not clamped": both(
            TRUE_MOMENTS["clamped months"], at(CLAMPED[0], ("2025-03-03", "4"), CLAMPED[2])
        ),
        "a clamped month that stays clamped": both(
            TRUE_MOMENTS["clamped months"], at(*CLAMPED[:2], ("2025-03-28", "4"))
        ),
        "a missing month": both(TRUE_MOMENTS["clamped months"], at(*CLAMPED[::2])),
        "a missing last month": both(TRUE_MOMENTS["clamped months"], at(*CLAMPED[:2])),
        "another position of months": both(
            TRUE_MOMENTS["clamped months"], at(*[(day, "3") for day, _ in CLAMPED])
        ),
        "the moment of one of two fields": both(TRUE_MOMENTS["two fields"], at(own)),
        "the moment of no fragment": both(TRUE_MOMENTS["a fragment"], at(("2025-11-20", "3"))),
    }.items():
        yield Altered(f"moments: {name}", lie(change), "WRONG_MOMENT", page_of(change))
    for name, document in {
        "no date": as_of(POSITION),
        "no position": as_of(DAY),
        "no moment at all": "{\n  asOf {\n    position\n  }\n}",
        "a null position": as_of(DAY, "position: null"),
        "a variable without a value": as_of(
            DAY, "position: $p", definitions="query Q($p: Position) "
        ),
        "the time in the future": as_of(DAY, FUTURE),
        "the time of the first moment in the future": changes(
            f'validAt: "2025-01-01", {FUTURE}', ", ".join(FIXED)
        ),
        "a time in the future by default": changes("knownAt: $t", ", ".join(FIXED)).replace(
            "{\n", 'query Q($t: DateTime = "2030-01-01T00:00:00Z") {\n', 1
        ),
        "a second moment without a position": changes(POSITION, DAY),
        "days without a last one": over("2025-03-31").replace(' to: "2025-03-31",', ""),
        "days without a position": over("2025-03-31").replace(', position: "4"', ""),
        "the head": "{\n  head\n}",
        "the head beside it": as_of(*FIXED)[:-1] + "  head\n}",
        "many positions": '{ overKnown(entity: "alliance/quad", validAt: "2025-11-20") { position } }',
        "places alone": "{\n  places {\n    code\n  }\n}",
        "a node": '{\n  node(id: "YWxsaWFuY2UvcXVhZA") {\n    id\n  }\n}',
    }.items():
        yield Altered(f"not fixed: {name}", lie(query(document)), "NOT_FIXED", "page")


def page_of(change: Callable[[Tree], None]) -> str:
    """Return the failing checks of the page of the vectors for a change of query or moments."""
    tree = statement()
    change(tree)
    moments = [(one["validAt"], one["position"]) for one in tree["moments"]]
    return "page" if ("2025-11-20", "4") in moments else "moment page"


def checkpoint_of(size: int, *signers: Signer, origin: str = LOG.name) -> str:
    """Return a checkpoint of the first entries of the vectors."""
    text = str(Checkpoint(origin, size, grown(ENTRIES[:size]).root()))
    return str(Note(text, tuple(signer.sign(text) for signer in signers)))


def wrong_checkpoints() -> Iterator[Altered]:
    """Yield signed statements whose checkpoint does not cover them, or is of another log."""
    own = statement()["checkpoint"]
    for name, note, code, page in (
        (
            "a checkpoint before the position",
            checkpoint_of(3, LOG, WITNESS),
            "BAD_RECEIPT",
            "moment",
        ),
        ("a checkpoint without the log", checkpoint_of(5, WITNESS), "UNKNOWN_KEY", "signature"),
        (
            "a checkpoint of a stranger",
            checkpoint_of(5, STRANGER, WITNESS),
            "UNKNOWN_KEY",
            "signature",
        ),
        (
            "a checkpoint that is none",
            "no\nnote\n",
            "BAD_CHECKPOINT",
            "signature consistency moment",
        ),
        (
            "a checkpoint with another root",
            own.replace(own.split("\n")[2], base64.b64encode(bytes(32)).decode(), 1),
            "BAD_SIGNATURE",
            "signature consistency",
        ),
        (
            "a checkpoint of another origin",
            checkpoint_of(5, LOG, WITNESS, origin="example.org/log"),
            "WRONG_ORIGIN",
            "signature consistency",
        ),
        ("a checkpoint without its witness", checkpoint_of(5, LOG), "NOT_WITNESSED", ""),
    ):
        yield Altered(name, lie(setting("checkpoint", to=note)), code, page)
    yield Altered(
        "a statement of another origin",
        lie(setting("origin", to="example.org/log")),
        "WRONG_ORIGIN",
        "signature",
    )


def altered_answers() -> Iterator[Altered]:
    """Yield files with another answer than the signed one."""
    note = str(receipt().note)

    def changed(change: Callable[[Tree], Any]) -> Tree:
        tree = copy.deepcopy(ANSWER)
        change(tree)
        return tree

    state = "asOf"
    for name, answer in {
        "another number": changed(setting(state, "exportControls", "totalCount", to=1)),
        "another list": changed(setting(state, "exportControls", "nodes", to=[None])),
        "another text": changed(setting(state, "note", to="gallium")),
        "another share": changed(setting(state, "share", to=0.26)),
        "a value for null": changed(setting(state, "none", to=0)),
        "false for true": changed(setting(state, "ok", to=False)),
        "a further member": changed(setting(state, "more", to=None)),
        "a missing member": changed(lambda tree: tree[state].pop("none")),
        "null as the answer": None,
        "text as the answer": "gallium",
    }.items():
        yield Altered(f"answer: {name}", file(note, answer), "WRONG_ANSWER_TEXT", "answer")


# --- files of lists

LIST = (
    'query Q($after: String) {\n  asOf(validAt: "2025-11-20", position: "4") {\n'
    "    rows: alliances(first: 2, after: $after) {\n      nodes {\n        id\n      }\n"
    "      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n}"
)
COUNT = 4


def page(number: int, document: str = LIST, count: int = COUNT, *, omitted: bool = False) -> bytes:
    """Return the receipt of a page of a list, from 1."""
    last = number == count
    answer = {
        "asOf": {
            "rows": {
                "nodes": [{"id": f"{number}a"}, {"id": f"{number}b"}],
                "pageInfo": {"hasNextPage": not last, "endCursor": f"c{number}"},
            }
        }
    }
    after = {"after": f"c{number - 1}"} if number > 1 else {}

    def change(tree: Tree) -> None:
        query(document, after)(tree)
        tree["answerSha256"] = sha256_of(rfc8785.dumps(answer))
        tree["answerOmitted"] = omitted

    return lie(change, None if omitted else answer)


def pages(*numbers: int, **options: Any) -> bytes:
    """Return a file of some pages."""
    return b"".join(page(number, **options) for number in numbers)


def altered_lists() -> Iterator[Altered]:
    """Yield files of lists that do not have all pages in order; a page of the site has one receipt only."""
    whole = range(1, COUNT + 1)
    other = LIST.replace("first: 2", "first: 3")
    for name, data in {
        "only the first page": pages(1),
        "only the last page": pages(4),
        "only a middle page": pages(2),
        "no last page": pages(1, 2, 3),
        "no first page": pages(2, 3, 4),
        "no middle page": pages(1, 2, 4),
        "reversed pages": pages(4, 3, 2, 1),
        "swapped pages": pages(1, 3, 2, 4),
        "a doubled first page": pages(1, *whole),
        "a doubled last page": pages(*whole, 4),
        "a doubled middle page": pages(1, 2, 2, 3, 4),
        "the list twice": pages(*whole, *whole),
        "a short list twice": pages(1, 1, count=1),
        "a page of another list": pages(1, 2) + page(3, other) + page(4),
        "the end of a longer list": pages(1, 2, 3) + page(4, count=5),
        "no first page, without answers": pages(2, 3, 4, omitted=True),
        "swapped first pages, without answers": pages(2, 1, 3, omitted=True),
        "another receipt after the list": pages(*whole) + str(receipt()).encode(),
    }.items():
        yield Altered(f"list: {name}", data, "MISSING_PAGE", "")
    info = "pageInfo {\n        hasNextPage\n        endCursor\n      }"
    for name, document in {
        "a cursor in the query": LIST.replace("after: $after", 'after: "c1"'),
        "a cursor in another variable": LIST.replace("$after", "$cursor"),
        "a cursor by default": LIST.replace("String)", 'String = "c1")'),
        "the first page of none": LIST.replace(", after: $after", ""),
        "the last items": LIST.replace("first: 2", "last: 2"),
        "no page information": LIST.replace(info, "totalCount"),
        "renamed page information": LIST.replace("pageInfo", "info: pageInfo"),
        "another field as the page information": LIST.replace("pageInfo", "pageInfo: other"),
        "another field as its end": LIST.replace("hasNextPage", "hasNextPage: hasPreviousPage"),
        "another field as its cursor": LIST.replace("endCursor", "endCursor: startCursor"),
        "no cursor": LIST.replace("        endCursor\n", ""),
        "no further page": LIST.replace("        hasNextPage\n", ""),
        "the items of a page": LIST.replace("rows: ", "").replace("nodes", "rows: nodes"),
        "two lists": LIST[:-5] + LIST[LIST.index("    rows") :].replace("alliances", "controls"),
    }.items():
        assert document != LIST, name
        yield Altered(f"list: {name}", page(1, document, 1), "MISSING_PAGE", "")
    for name, rows in {
        "a further page without a cursor": {"pageInfo": {"endCursor": None, "hasNextPage": True}},
        "an answer without page information": {"nodes": []},
        "null as the end": {"pageInfo": {"endCursor": None, "hasNextPage": None}},
        "lists in a list": [{"rows": {"pageInfo": {"hasNextPage": False}}}] * 2,
    }.items():
        answer = {"asOf": rows if isinstance(rows, list) else {"rows": rows}}
        change = both(query(LIST), setting("answerSha256", to=sha256_of(rfc8785.dumps(answer))))
        yield Altered(f"list: {name}", lie(change, answer), "MISSING_PAGE", "")
    text = pages(*whole)
    for name, data in {
        "a blank line": text.replace(b"\n", b"\n\n", 1),
        "a blank line after it": text + b"\n",
        "a cut last line": text[:-20],
        "pages in one line": text.replace(b"\n", b"", 1),
    }.items():
        yield Altered(f"list: {name}", data, "BAD_RECEIPT", "")


def altered_receipts() -> Sequence[Altered]:
    """Return all altered receipts that are found without the log."""
    return [
        *altered_bytes(),
        *altered_notes(),
        *altered_statements(),
        *invalid_statements(),
        *wrong_moments(),
        *wrong_checkpoints(),
        *altered_answers(),
        *altered_lists(),
    ]
