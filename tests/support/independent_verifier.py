"""A verifier of receipts, written from docs/receipt-format.md with the standard library and Ed25519.

It has no code of the tracker, which could agree with itself. The layout of printed documents, states and
answers need the program.
"""

import base64
import hashlib
import json
import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Tree = dict[str, Any]


class Refused(Exception):
    """A broken rule; its text is the code."""


def require(holds: object, code: str = "BAD_RECEIPT") -> None:
    """Refuse with a code unless a rule holds."""
    if not holds:
        raise Refused(code)


# --- canonical JSON


def canonical(value: Any) -> str:
    """Return canonical JSON (RFC 8785)."""
    match value:
        case dict():
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return (
                "{" + ",".join(f"{canonical(one)}:{canonical(value[one])}" for one in names) + "}"
            )
        case list():
            return "[" + ",".join(map(canonical, value)) + "]"
        case float():
            return number(value)
        case int() if not isinstance(value, bool):
            require(abs(value) < 2**53)
    return json.dumps(value, ensure_ascii=False)


def number(value: float) -> str:
    """Return a number as ECMAScript writes it."""
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text, size = "".join(map(str, digits)), len(digits)
    point = size + exponent
    if size <= point <= 21:
        text += "0" * (point - size)
    elif 0 < point <= 21:
        text = f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{text}"
    else:
        text = f"{text[0]}{'.' if size > 1 else ''}{text[1:]}e{point - 1:+}"
    return "-" * sign + text


def parse_canonical(text: str) -> Any:
    """Parse JSON that must be canonical."""
    try:
        value = json.loads(text, parse_constant=lambda name: require(False))
        require(canonical(value) == text)
        text.encode()
    except (ValueError, RecursionError):
        raise Refused("BAD_RECEIPT") from None
    return value


# --- notes and keys

Line = tuple[str, bytes, bytes]
"""A signature line: name, key id, signature."""


def split_note(note: str, code: str) -> tuple[str, list[Line]]:
    """Return the text of a note, and its signature lines."""
    text, blank, below = note.rpartition("\n\n")
    *lines, end = below.split("\n")
    require(blank and not end and 0 < len(lines) <= 100, code)
    require(len(note.encode()) <= 1_000_000 and not re.search("[\0-\x09\x0b-\x1f]", note), code)
    found = []
    for line in lines:
        parts = line.split(" ")
        require(len(parts) == 3 and parts[0] == "—" and parts[1], code)
        try:
            data = base64.b64decode(parts[2], validate=True)
        except ValueError:
            raise Refused(code) from None
        require(base64.b64encode(data).decode() == parts[2] and len(data) > 4, code)
        found.append((parts[1], data[:4], data[4:]))
    return text + "\n", found


def key_of(line: str) -> tuple[str, bytes, bytes]:
    """Return name, id and public key of a line of `tracker key show`."""
    name, id, encoded = line.split("+", 2)
    data = base64.b64decode(encoded)
    assert hashlib.sha256(name.encode() + b"\n" + data).hexdigest()[:8] == id
    return name, bytes.fromhex(id), data[1:]


def receipt_id(name: str, public: bytes) -> bytes:
    """Return the id of a key for receipts."""
    return hashlib.sha256(name.encode() + b"\n\xfftracker-receipt" + public).digest()[:4]


def check_signature(public: bytes, signature: bytes, message: bytes) -> None:
    """Check an Ed25519 signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        raise Refused("BAD_SIGNATURE") from None


def check_receipt_lines(text: str, lines: Sequence[Line], keys: Sequence[str], origin: str) -> None:
    """Check that each line is the signature of a trusted key of the log, once."""
    trusted = {(name, receipt_id(name, public)): public for name, _, public in map(key_of, keys)}
    named = [(name, id) for name, id, _ in lines]
    require(all(one in trusted for one in named), "UNKNOWN_KEY")
    require(len({*named}) == len(named))
    require(text.startswith("tracker-receipt/v1\n") or named == sorted(named))
    for name, id, signature in lines:
        message = f"tracker-receipt-signature/v1\n{text}".encode()
        check_signature(trusted[name, id], signature, message)
    require(all(name == origin for name, _ in named), "WRONG_ORIGIN")


def parse_checkpoint(note: str) -> tuple[str, list[Line], str, int, bytes]:
    """Return text, lines, origin, number of events and root of a checkpoint."""
    text, lines = split_note(note, "BAD_CHECKPOINT")
    parts = text.split("\n")
    require(len(parts) >= 4 and parts[1].isascii() and parts[1].isdecimal(), "BAD_CHECKPOINT")
    return text, lines, parts[0], int(parts[1]), base64.b64decode(parts[2])


def check_checkpoint(
    note: str, keys: Sequence[str], witnesses: Sequence[str]
) -> tuple[str, int, bytes]:
    """Check the signatures of a checkpoint; return origin, number of events and root."""
    text, lines, origin, size, root = parse_checkpoint(note)
    trusted = {(name, id): public for name, id, public in map(key_of, keys)}
    required = {(name, id): public for name, id, public in map(key_of, witnesses)}
    signers = set()
    for name, id, signature in lines:
        if public := trusted.get((name, id)):
            check_signature(public, signature, text.encode())
        elif public := required.get((name, id)):
            time = int.from_bytes(signature[:8], "big")
            check_signature(public, signature[8:], f"cosignature/v1\ntime {time}\n{text}".encode())
        signers.add((name, id))
    require(signers & trusted.keys(), "UNKNOWN_KEY")
    require(origin in {name for name, _ in signers & trusted.keys()}, "WRONG_ORIGIN")
    require(required.keys() <= signers, "NOT_WITNESSED")
    return origin, size, root


# --- statements

Test = Callable[[Any], bool]


def is_text(value: Any) -> bool:
    """Whether a value is text."""
    return isinstance(value, str)


def is_integer(value: Any) -> bool:
    """Whether a value is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_flag(value: Any) -> bool:
    """Whether a value is true or false."""
    return isinstance(value, bool)


def matches(pattern: str) -> Test:
    """Return a test of text."""
    return lambda value: isinstance(value, str) and bool(re.fullmatch(pattern, value, re.ASCII))


def is_day(value: Any) -> bool:
    """Whether a value is a date that exists."""
    try:
        return matches(r"\d{4}-\d\d-\d\d")(value) and bool(date.fromisoformat(value))
    except ValueError:
        return False


DIGEST = matches("[0-9a-f]{64}")
OPERATION: Mapping[str, Test] = {
    "document": is_text,
    "operationName": lambda value: value is None or is_text(value),
    "variables": lambda value: isinstance(value, dict),
}
MOMENT: Mapping[str, Test] = {
    "validAt": is_day,
    "position": matches("0|[1-9][0-9]{0,15}"),
    "stateDigest": DIGEST,
    "stateFormat": is_integer,
    "completeness": is_text,
}
STATEMENT: Mapping[str, Test] = {
    "operation": lambda value: has_members(value, OPERATION),
    "moments": lambda value: (
        isinstance(value, list)
        and 1 <= len(value) <= 10
        and all(has_members(one, MOMENT) for one in value)
    ),
    "answerSha256": DIGEST,
    "answerOmitted": lambda value: isinstance(value, bool),
    "schemaSha256": DIGEST,
    "derivation": is_integer,
    "software": is_text,
    "checkpoint": is_text,
    "issuedAt": matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    "origin": is_text,
}


def has_members(value: Any, members: Mapping[str, Test]) -> bool:
    """Whether a value is an object with these members and no others."""
    return (
        isinstance(value, dict)
        and value.keys() == members.keys()
        and all(test(value[name]) for name, test in members.items())
    )


# --- GraphQL documents: as much of them as moments need

TOKEN = re.compile(
    r'(?P<skip>[\s,\ufeff]+|\#[^\n\r]*)|(?P<text>"""(?:\\"""|[^"]|"(?!""))*"""|"(?:\\.|[^"\\\n])*")'
    r"|(?P<word>\.\.\.|[!$&()\[\]{}:=@|]|[_A-Za-z][_0-9A-Za-z]*|-?[0-9][0-9.eE+-]*)",
    re.DOTALL,
)


class Unset:
    """The value of a variable that is not set."""


class Document:
    """A parsed GraphQL document: its operations and fragments."""

    def __init__(self, text: str):
        self.has_comments = self.has_descriptions = False
        self._tokens, at = list[str](), 0
        while at < len(text):
            token = TOKEN.match(text, at)
            require(token)
            assert token
            at = token.end()
            if token["skip"]:
                self.has_comments |= token["skip"].startswith("#")
            else:
                self._tokens.append(token[0])
        self._at = 0
        self.operations = list[Tree]()
        self.fragments = dict[str, Tree]()
        while self._at < len(self._tokens):
            self._definition()

    def _peek(self) -> str:
        require(self._at < len(self._tokens))
        return self._tokens[self._at]

    def _next(self, expected: str | None = None) -> str:
        token = self._peek()
        require(expected in (None, token))
        self._at += 1
        return token

    def _skipped(self, expected: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == expected
        self._at += found
        return found

    def _description(self) -> None:
        if self._peek().startswith('"'):
            self._next()
            self.has_descriptions = True

    def _definition(self) -> None:
        self._description()
        if self._skipped("fragment"):
            name = self._next()
            self._next("on")
            self._next()
            self._directives()
            self.fragments[name] = {"selections": self._selections()}
            return
        kind = "query" if self._peek() == "{" else self._next()
        require(kind in ("query", "mutation", "subscription"))
        name = self._next() if self._peek() not in "({@" else None
        defaults = dict[str, Any]()
        if self._skipped("("):
            while not self._skipped(")"):
                self._description()
                self._next("$")
                variable = self._next()
                self._next(":")
                self._type()
                defaults[variable] = self._value() if self._skipped("=") else Unset
                self._directives()
        self._directives()
        self.operations.append(
            {"kind": kind, "name": name, "defaults": defaults, "selections": self._selections()}
        )

    def _type(self) -> None:
        if self._skipped("["):
            self._type()
            self._next("]")
        else:
            self._next()
        self._skipped("!")

    def _directives(self) -> set[str]:
        names = set[str]()
        while self._skipped("@"):
            names.add(self._next())
            self._arguments()
        return names

    def _arguments(self) -> Tree:
        arguments: Tree = {}
        if self._skipped("("):
            while not self._skipped(")"):
                name = self._next()
                self._next(":")
                arguments[name] = self._value()
        return arguments

    def _selections(self) -> list[Tree]:
        self._next("{")
        found = []
        while not self._skipped("}"):
            if self._skipped("..."):
                spread = None
                if self._peek() not in ("{", "@", "on"):
                    spread = self._next()
                elif self._skipped("on"):
                    self._next()
                directives = self._directives()
                inside = [] if spread else self._selections()
                found.append({"directives": directives, "spread": spread, "selections": inside})
                continue
            own = self._next()
            found.append(
                {
                    "own": own,
                    "field": self._next() if self._skipped(":") else own,
                    "arguments": self._arguments(),
                    "directives": self._directives(),
                    "selections": self._selections() if self._peek() == "{" else [],
                }
            )
        return found

    def _value(self) -> Any:
        """Return a value: a function of the variables."""
        token = self._next()
        if token == "$":
            name = self._next()
            return lambda variables: variables.get(name, Unset)
        if token == "[":
            items = []
            while not self._skipped("]"):
                items.append(self._value())
            return lambda variables: [item(variables) for item in items]
        if token == "{":
            members = {}
            while not self._skipped("}"):
                member = self._next()
                self._next(":")
                members[member] = self._value()
            return lambda variables: {name: part(variables) for name, part in members.items()}
        constant: Any = {"null": None, "true": True, "false": False}.get(token, token)
        if token.startswith('"""'):
            constant = token[3:-3].strip()
        elif token.startswith('"'):
            constant = json.loads(token)
        return lambda variables: constant


def select(document: Document, name: str | None) -> Tree:
    """Return the query of an operation name."""
    found = [one for one in document.operations if name in (None, one["name"])]
    require(len(found) == 1 and found[0]["kind"] == "query")
    return found[0]


def check_alone(document: Document, query: Tree, operation: Tree) -> None:
    """Check that a document of version 2 has nothing beside its query."""
    require(len(document.operations) == 1 and query["name"] == operation["operationName"])
    require(not document.has_comments and not document.has_descriptions)
    used, waiting = set[str](), [query]
    while waiting:
        for node in waiting.pop()["selections"]:
            spread = node.get("spread")
            if spread and spread not in used:
                require(spread in document.fragments)
                used.add(spread)
                waiting.append(document.fragments[spread])
            waiting.append(node)
    require(used == document.fragments.keys())
    require(operation["variables"].keys() <= query["defaults"].keys())
    sizes = operation["document"], canonical(operation["variables"])
    require(all(len(text.encode()) <= 20_000 for text in sizes))


# --- moments


def members(value: Any) -> Tree:
    """Return the members of an object that are set and not null."""
    items = value.items() if isinstance(value, dict) else ()
    return {name: part for name, part in items if part is not None and part is not Unset}


def root_nodes(document: Document, query: Tree) -> Iterator[Tree]:
    """Yield the selections at the root, with those of fragments."""
    waiting, opened = [*query["selections"]], set[str]()
    while waiting:
        node = waiting.pop()
        yield node
        if "field" in node:
            continue
        waiting += node["selections"]
        if (name := node["spread"]) and name not in opened:
            require(name in document.fragments)
            opened.add(name)
            waiting += document.fragments[name]["selections"]


def moment(day: Any, position: Any) -> tuple[date, int]:
    """Return a moment of its values."""
    require(is_day(day) and re.fullmatch("[0-9]+", str(position)))
    return date.fromisoformat(day), int(position)


def dates(first: date, last: date, step: str) -> Iterator[date]:
    """Yield the dates from the first to the last one, a step apart, counted from the first one."""
    days = {"DAY": 1, "WEEK": 7}.get(step)
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}.get(step, 0)
    require(days or months)
    for index in count():
        if days:
            day = first + timedelta(days=days * index)
        else:
            year, month = divmod(first.year * 12 + first.month - 1 + months * index, 12)
            day = date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))
        if day > last:
            return
        yield day


def moments_of(operation: Tree, *, alone: bool) -> list[tuple[date, int]] | None:
    """Return the moments of a query; None if only the log has them."""
    document = Document(operation["document"])
    query = select(document, operation["operationName"])
    if alone:
        check_alone(document, query, operation)
    defaults = {name: value({}) for name, value in query["defaults"].items() if value is not Unset}
    variables = {**defaults, **operation["variables"]}
    found, from_log = set[tuple[date, int]](), False
    for node in root_nodes(document, query):
        from_log |= bool(node["directives"] & {"skip", "include"})
        name = node.get("field")
        if name in (None, "commodities", "places", "__typename"):
            continue
        given = members({name: value(variables) for name, value in node["arguments"].items()})
        match name:
            case "asOf":
                fixed = [given]
            case "over":
                require(given.keys() >= {"from", "to"}, "NOT_FIXED")
                fixed = [{"validAt": given["to"], **given}]
            case "changes" | "shipmentChanges":
                to, since = members(given.get("to")), members(given.get("from"))
                require({"validAt", "position"} <= to.keys(), "NOT_FIXED")
                fixed = [to, {**to, **since}]
            case _:
                raise Refused("NOT_FIXED")
        for one in fixed:
            require({"validAt", "position"} <= one.keys() and "knownAt" not in one, "NOT_FIXED")
        ends = [moment(one["validAt"], one["position"]) for one in fixed]
        if name == "over" and "step" not in given:
            from_log = True
        elif name == "over":
            [(last, position)] = ends
            first, _ = moment(given["from"], position)
            found |= {(day, position) for day in dates(first, last, given["step"])}
        else:
            found |= {*ends}
    if from_log:
        return None
    require(found, "NOT_FIXED")
    return sorted(found)


# --- receipts


def check_receipt(data: bytes, keys: Sequence[str], witnesses: Sequence[str]) -> Tree:
    """Check a receipt alone; return its content with the statement. Raises Refused."""
    require(len(data) <= 64 * 1024 * 1024)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Refused("BAD_RECEIPT") from None
    content = parse_canonical(text.removesuffix("\n"))
    require(isinstance(content, dict) and content.keys() - {"timestamp"} == {"answer", "receipt"})
    require(is_text(content["receipt"]) and is_text(content.get("timestamp", "")))
    note, lines = split_note(content["receipt"], "BAD_RECEIPT")
    parts = note.split("\n")
    require(len(parts) == 3 and parts[0] in ("tracker-receipt/v1", "tracker-receipt/v2"))
    statement = parse_canonical(parts[1])
    require(has_members(statement, STATEMENT))
    require(content["answer"] is None or not statement["answerOmitted"])
    check_receipt_lines(note, lines, keys, statement["origin"])
    origin, size, root = check_checkpoint(statement["checkpoint"], keys, witnesses)
    require(origin == statement["origin"], "WRONG_ORIGIN")
    require(size >= max(int(one["position"]) for one in statement["moments"]))
    if not statement["answerOmitted"]:
        digest = hashlib.sha256(canonical(content["answer"]).encode()).hexdigest()
        require(digest == statement["answerSha256"], "WRONG_ANSWER_TEXT")
    moments = moments_of(statement["operation"], alone=parts[0] != "tracker-receipt/v1")
    if moments is not None:
        own = [
            (date.fromisoformat(one["validAt"]), int(one["position"]))
            for one in statement["moments"]
        ]
        require(own == moments, "WRONG_MOMENT")
    return {**content, "statement": statement, "size": size, "root": root}


def lists(value: Any) -> Iterator[Tree]:
    """Yield the objects `rows` in an answer."""
    for name, part in value.items() if isinstance(value, dict) else enumerate(value):
        if name == "rows" and isinstance(part, dict):
            yield part
        elif name != "rows" and isinstance(part, dict | list):
            yield from lists(part)


def further_page(receipt: Tree) -> Tree:
    """Return the page information of a page that has a further one."""
    infos = [rows.get("pageInfo") or {} for rows in lists(receipt["answer"] or {})]
    require(len(infos) <= 1 and all(is_flag(of.get("hasNextPage")) for of in infos), "MISSING_PAGE")
    return infos[0] if infos and infos[0]["hasNextPage"] else {}


def list_of(text: str) -> bool | None:
    """Return whether the list of a document has pages; None without a list."""
    document = Document(text)
    found, waiting = list[Tree](), [*document.operations, *document.fragments.values()]
    while waiting:
        node = waiting.pop()
        found += [node] if node.get("own") == "rows" else []
        waiting += node["selections"]
    if not found:
        return None
    [rows] = found if len(found) == 1 else [{"field": "nodes", "arguments": {}, "selections": []}]
    inside = {node["own"]: node for node in root_nodes(document, rows) if "own" in node}
    info = inside.get("pageInfo", {"selections": []})
    names = {node["own"]: node["field"] for node in root_nodes(document, info) if "own" in node}
    parts = {node["field"] for node in inside.values()} & {"pageInfo", "nodes", "edges"}
    arguments = rows["arguments"].keys() & {"first", "last", "before", "after"}
    if parts or arguments:
        cursor = object()
        after = rows["arguments"].get("after", lambda _: None)
        require(after({"after": cursor}) is cursor, "MISSING_PAGE")
        require("last" not in arguments, "MISSING_PAGE")
        require(info.get("field") == "pageInfo", "MISSING_PAGE")
        for name in ("hasNextPage", "endCursor"):
            require(names.get(name) == name, "MISSING_PAGE")
    require(rows["field"] not in ("nodes", "edges"), "MISSING_PAGE")
    for operation in document.operations:
        require(operation["defaults"].get("after", Unset) is Unset, "MISSING_PAGE")
    return bool(parts or arguments)


def check_list(receipts: Sequence[Tree]) -> None:
    """Check that a file of a list has all of its pages."""
    operations = [one["statement"]["operation"] for one in receipts]
    paged = list_of(operations[0]["document"])
    if len(receipts) == 1 and paged is None:
        return
    further = [further_page(one) if paged else {} for one in receipts]
    cursors = [one["variables"].get("after") for one in operations]
    rests = [{**one, "variables": {**one["variables"], "after": None}} for one in operations]
    require("after" not in operations[0]["variables"], "MISSING_PAGE")
    require(all(one == rests[0] for one in rests), "MISSING_PAGE")
    for before, info, cursor in zip(receipts, further, cursors[1:], strict=False):
        own = before["answer"] is None or info.get("endCursor") == cursor
        require(cursor is not None and own, "MISSING_PAGE")
    require(not further[-1], "MISSING_PAGE")


def faults(data: bytes, keys: Sequence[str], witnesses: Sequence[str] = ()) -> list[str | None]:
    """Return the fault of each receipt in a file; None for one without."""
    receipts, found = list[Tree](), list[str | None]()
    for line in data.removesuffix(b"\n").split(b"\n"):
        try:
            receipts.append(check_receipt(line, keys, witnesses))
            found.append(None)
        except Refused as refused:
            found.append(str(refused))
    if not any(found):
        try:
            check_list(receipts)
        except Refused as refused:
            return [str(refused)] * len(found)
    return found


# --- bundles


def tile_path(number: int) -> str:
    """Return the path of a tile by its number."""
    digits = f"{number:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def entries_of(bundle: Path, size: int) -> Iterator[bytes]:
    """Yield the entries of a bundle."""
    for start in range(0, size, 256):
        width = min(256, size - start)
        name = tile_path(start // 256) + (f".p/{width}" if width < 256 else "")
        data = (bundle / "tile" / "entries" / name).read_bytes()
        for _ in range(width):
            length = int.from_bytes(data[:2], "big")
            yield data[2 : 2 + length]
            data = data[2 + length :]
        require(not data, "BAD_LENGTH")


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root of the tree over hashes of entries (RFC 6962)."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    left, right = root_of(hashes[:split]), root_of(hashes[split:])
    return hashlib.sha256(b"\1" + left + right).digest()


def check_bundle(bundle: Path, keys: Sequence[str], receipts: Sequence[Tree]) -> None:
    """Check the root of a bundle, and that it continues the checkpoints of receipts. Raises Refused."""
    note = (bundle / "checkpoint").read_text(encoding="utf-8")
    origin, size, root = check_checkpoint(note, keys, ())
    hashes = [hashlib.sha256(b"\0" + entry).digest() for entry in entries_of(bundle, size)]
    require(root_of(hashes) == root, "WRONG_ROOT")
    for receipt in receipts:
        require(receipt["size"] <= size, "SHRUNK")
        code = "FORKED" if receipt["statement"]["origin"] == origin else "WRONG_ORIGIN"
        require(root_of(hashes[: receipt["size"]]) == receipt["root"], code)
