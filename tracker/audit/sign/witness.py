"""Witnesses: independent signers of the log's checkpoints, who prevent different views of the log.

The witnesses, and the number that a checkpoint needs, are defined in a file of the format C2SP tlog-policy.
Requests use the protocol C2SP tlog-witness.
"""

from __future__ import annotations

import asyncio
import logging
import time
import urllib.error
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urlsplit

from msgspec import Struct, field

from tracker.audit.format.checkpoint import ConsistencyProof, parse_number
from tracker.audit.format.signed_note import COSIGNATURE, Note, Signature, Verifier
from tracker.errors import InvalidInput, NotProven, TrackerError
from tracker.http_client import open_url, read_content

WITNESS_TIMEOUT_SECONDS = 3.0
"""Timeout of a witness's response in seconds."""
MAX_ANSWER_BYTES = 100_000

logger = logging.getLogger(__name__)


class Witness(Struct, frozen=True):
    """A witness: its name in the policy, its key, and its address."""

    name: str
    key: Verifier
    url: str


class Policy(Struct, frozen=True):
    """The witnesses of the log, and the groups; one group is the quorum."""

    witnesses: tuple[Witness, ...] = ()
    groups: Mapping[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = "none"

    @property
    def required(self) -> bool:
        """Whether a checkpoint needs witnesses before it is published."""
        return self.quorum != "none"

    def satisfied(self, signed: Collection[Verifier]) -> bool:
        """Return whether witnesses with these keys are sufficient."""
        names = {witness.name for witness in self.witnesses if witness.key in signed}
        return not self.required or self._is_satisfied(self.quorum, names)

    def _is_satisfied(self, name: str, signed: Collection[str]) -> bool:
        if name not in self.groups:
            return name in signed
        least, members = self.groups[name]
        return sum(self._is_satisfied(member, signed) for member in members) >= least

    @staticmethod
    def parse(text: str) -> Policy:
        """Parse a policy. Raises InvalidInput, which names the line."""
        return _Parser().read(text)


class _Parser:
    """Reads a policy line by line: names are defined before they are used."""

    def __init__(self) -> None:
        self._witnesses: dict[str, Witness] = {}
        self._groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._quorum: str | None = None
        self._members: set[str] = set()

    def read(self, text: str) -> Policy:
        for place, line in enumerate(text.splitlines(), 1):
            words = line.split()
            if words and not words[0].startswith("#"):
                try:
                    self._line(words)
                except InvalidInput as error:
                    raise InvalidInput(
                        f"line {place} of the witness policy: {error.message}"
                    ) from None
        if self._quorum is None:
            raise InvalidInput(
                "the witness policy has no quorum: expected a line `quorum none`, or"
                " the name of a witness or group"
            )
        return Policy(tuple(self._witnesses.values()), self._groups, self._quorum)

    def _line(self, words: list[str]) -> None:
        match words:
            case ["log", *_]:  # the log is identified by our own keys
                pass
            case ["witness", name, key, url]:
                self._new(name)
                self._witnesses[name] = _witness(name, key, url)
            case ["group", name, least, *members] if members:
                self._new(name)
                self._groups[name] = self._group(least, members)
            case ["quorum", name] if self._quorum is None:
                self._quorum = name if name == "none" else self._require_known(name)
            case _:
                raise InvalidInput(
                    f"{' '.join(words)[:100]!r}: expected `witness NAME KEY URL`,"
                    " `group NAME all|any|NUMBER NAME…` or one `quorum NAME`"
                )

    def _group(self, least: str, members: list[str]) -> tuple[int, tuple[str, ...]]:
        counts = {"all": len(members), "any": 1}
        count = counts.get(least) or (int(least) if least.isdecimal() else 0)
        if not 1 <= count <= len(members):
            raise InvalidInput(f"{least!r}: expected all, any or a number up to {len(members)}")
        for member in map(self._require_known, members):
            if member in self._members:
                raise InvalidInput(f"{member!r} is a member already: expected it once at most")
            self._members.add(member)
        return count, tuple(members)

    def _new(self, name: str) -> None:
        if name == "none" or name in self._witnesses or name in self._groups:
            raise InvalidInput(f"{name!r}: expected a name that is not taken")

    def _require_known(self, name: str) -> str:
        if name not in self._witnesses and name not in self._groups:
            raise InvalidInput(f"{name!r}: expected a witness or group of a line above")
        return name


def _witness(name: str, key: str, url: str) -> Witness:
    verifier = Verifier.parse(key)
    if verifier.type != COSIGNATURE:
        raise InvalidInput(f"the key of {name}: expected one of a witness (type 4)")
    if urlsplit(url).scheme not in ("http", "https"):
        raise InvalidInput(f"{url[:100]!r}: expected an http or https address")
    return Witness(name, verifier, url)


class WitnessBehind(NotProven):
    """A witness has seen a larger log than this one, which has lost entries."""


@dataclass(frozen=True, slots=True)
class WitnessConflict(Exception):
    """The witness wants a proof from another size."""

    size: int


class Witnesses:
    """Requests cosignatures of the witnesses of a policy, and remembers the progress of each."""

    def __init__(self, policy: Policy):
        self.policy = policy
        self._seen: dict[Verifier, int] = {}

    def old_sizes(self, size: int) -> dict[Verifier, int]:
        """Return the sizes from which the witnesses need a consistency proof, as far as known."""
        return {
            witness.key: min(size, self._seen.get(witness.key, 0))
            for witness in self.policy.witnesses
        }

    async def request_cosignatures(
        self, note: Note, size: int, proofs: Mapping[Verifier, ConsistencyProof]
    ) -> dict[Verifier, Signature]:
        """Request cosignatures from the witnesses with a proof, and return them.

        A witness that does not respond, or needs another proof, is not in the result; `old_sizes` then
        returns the other size. Raises WitnessBehind.
        """
        requested = [witness for witness in self.policy.witnesses if witness.key in proofs]
        answers = await asyncio.gather(
            *(
                asyncio.to_thread(add_checkpoint, witness, note, proofs[witness.key])
                for witness in requested
            ),
            return_exceptions=True,
        )
        return self._add_checkpoints(requested, size, answers)

    def _add_checkpoints(
        self, requested: Sequence[Witness], size: int, answers: Sequence[Signature | BaseException]
    ) -> dict[Verifier, Signature]:
        signed = {}
        for witness, answer in zip(requested, answers, strict=True):
            match answer:
                case Signature():
                    signed[witness.key] = answer
                    self._seen[witness.key] = size
                case WitnessConflict(size=seen) if seen > size:
                    raise WitnessBehind(
                        f"the witness {witness.name} has seen {seen} entries of this log,"
                        f" which has {size}: the log is older than what was published"
                    )
                case WitnessConflict(size=seen):
                    self._seen[witness.key] = seen
                case OSError() | HTTPException() | TrackerError():
                    logger.warning("the witness %s did not sign: %s", witness.name, answer)
                case BaseException():
                    raise answer
        return signed


def add_checkpoint(witness: Witness, note: Note, proof: ConsistencyProof) -> Signature:
    """Request the signature of a witness (C2SP tlog-witness, add-checkpoint).

    Raises WitnessConflict, OSError, HTTPException, or NotProven for a response without its signature.
    """
    deadline = time.monotonic() + WITNESS_TIMEOUT_SECONDS
    try:
        with open_url(
            f"{witness.url.rstrip('/')}/add-checkpoint",
            body=str(proof).encode(),
            timeout_seconds=WITNESS_TIMEOUT_SECONDS,
        ) as response:
            lines = read_content(response, MAX_ANSWER_BYTES, deadline).decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 409 and error.headers.get_content_type() == "text/x.tlog.size":
                raise WitnessConflict(
                    parse_number(error.read(100).decode(errors="replace").strip())
                ) from None
        raise
    for signature in map(Signature.parse, lines.splitlines()):
        if (signature.name, signature.id) == (witness.key.name, witness.key.id):
            witness.key.verify(note.text, signature.signature)
            return signature
    raise NotProven(f"the answer of {witness.name} has no signature of its key")
