"""The keys of an issuer: fetched from it, kept, and fetched anew when a token names another.

Whatever an issuer does, nobody waits longer than FETCH_TIMEOUT_SECONDS, one request to it is under
way at a time, and tokens with invented key ids bring at most one in REFETCH_PAUSE_SECONDS.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from tracker.errors import Unavailable
from tracker.http_client import open_url, read_content

FETCH_TIMEOUT_SECONDS = 5
"""An issuer gets so long to answer."""
REFETCH_PAUSE_SECONDS = 10
"""Seconds from one attempt to fetch keys to the next."""
REFRESH_AFTER_SECONDS = 300
"""After so many seconds keys that work are fetched anew, beside the requests that use them."""
MAX_KEY_AGE_SECONDS = 3600
"""Keys older than this many seconds are not believed: the issuer may have withdrawn them."""
MAX_KEY_SET_BYTES = 1 << 20
MIN_RSA_BITS = 2048
"""Shorter RSA keys are passed over."""

RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
ALGORITHMS = {
    ("RSA", None): RSA,
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
}
"""What a kind of key may sign with. There is nothing symmetric here: a public key is no secret, and
a token must never be checked against it as if it were one."""
PUBLIC_MEMBERS = ("kty", "crv", "n", "e", "x", "y")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A public key of an issuer, and the algorithms that it may be used with."""

    public: Any
    algorithms: frozenset[str]


class IssuerKeys:
    """The keys of one issuer, by their ids."""

    def __init__(
        self, issuer: str, keys_url: str | None = None, clock: Callable[[], float] = time.monotonic
    ):
        """Keys at an address, or, without one, where the issuer's own description says."""
        self._issuer, self._keys_url, self._clock = issuer, keys_url, clock
        self._keys: dict[str, IssuerKey] = {}
        self._fetched = self._tried = -math.inf
        self._fetching: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "issuer")

    async def get(self, id: str) -> IssuerKey | None:
        """The key of an id; None if the issuer has none. Raises Unavailable where it can't be asked
        and what it last said is no answer."""
        age = self._clock() - self._fetched
        if id not in self._keys or age > MAX_KEY_AGE_SECONDS:
            fetching = self._start_fetch()
            if fetching is not None:
                await asyncio.shield(fetching)
        elif age > REFRESH_AFTER_SECONDS:
            self._start_fetch()
        failed = self._fetched < self._tried
        if self._clock() - self._fetched > MAX_KEY_AGE_SECONDS or (failed and id not in self._keys):
            raise Unavailable("The keys of the tokens' issuer can't be fetched; try again")
        return self._keys.get(id)

    def _start_fetch(self) -> asyncio.Task[None] | None:
        """Fetch the keys, unless that was tried a moment ago; one fetch is under way at a time."""
        if self._fetching is None and self._clock() - self._tried >= REFETCH_PAUSE_SECONDS:
            self._tried = self._clock()
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        """Fetch the keys; where that fails, those that we have stay."""
        try:
            loop = asyncio.get_running_loop()
            deadline = time.monotonic() + FETCH_TIMEOUT_SECONDS
            async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
                found = await loop.run_in_executor(
                    self._thread, download, self._issuer, self._keys_url, deadline
                )
            self._keys, self._fetched = parse_key_set(found), self._clock()
        except (OSError, HTTPException, ValueError, RecursionError) as error:  # late: an OSError
            logger.warning(
                "the keys of %s can't be fetched: %s",
                self._issuer,
                error or f"no answer in {FETCH_TIMEOUT_SECONDS} seconds",
            )
        finally:
            self._fetching = None


def parse_key_set(found: Any) -> dict[str, IssuerKey]:
    """The keys of a JSON Web Key Set (RFC 7517) that can check tokens here; others are passed over.

    Raises ValueError where it is no such set.
    """
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise ValueError("expected a set of keys")
    return {
        key["kid"]: usable
        for key in found["keys"]
        if isinstance(key, dict)
        and isinstance(key.get("kid"), str)
        and (usable := _is_usable(key)) is not None
    }


def _is_usable(key: Mapping[str, Any]) -> IssuerKey | None:
    try:
        algorithms = _algorithms(key)
        if not algorithms:
            return None
        public = PyJWK(
            {name: key[name] for name in PUBLIC_MEMBERS if name in key}, min(algorithms)
        ).key
    except (PyJWTError, ValueError, TypeError) as error:
        logger.warning("key %.100r of the issuer is passed over: %s", key["kid"], error)
        return None
    short = isinstance(public, RSAPublicKey) and public.key_size < MIN_RSA_BITS
    return None if short else IssuerKey(public, algorithms)


def _algorithms(key: Mapping[str, Any]) -> frozenset[str]:
    """What a key may be used with, by its kind and by what it says itself."""
    if key.get("use", "sig") != "sig" or "verify" not in key.get("key_ops", ["verify"]):
        return frozenset()
    known = ALGORITHMS.get((str(key.get("kty")), key.get("crv")), frozenset())
    return known & {key["alg"]} if "alg" in key else known


def download(issuer: str, keys_url: str | None, deadline: float) -> Any:
    """The key set of an issuer. It blocks.

    Raises OSError, HTTPException or ValueError, a description of another issuer included (OpenID
    Connect Discovery 4.3).
    """
    if keys_url is None:
        described = fetch_json(f"{issuer.rstrip('/')}/.well-known/openid-configuration", deadline)
        if not isinstance(described, dict) or described.get("issuer") != issuer:
            raise ValueError(f"expected a description with issuer {issuer!r}")
        keys_url = str(described.get("jwks_uri"))
        if not is_trustworthy_url(keys_url):
            raise ValueError("expected an https address as jwks_uri")
    return fetch_json(keys_url, deadline)


def is_trustworthy_url(url: str) -> bool:
    """Whether keys may come from an address: nobody between us and it could exchange them."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https"
            or (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1"))
        )
    except ValueError:
        return False


def fetch_json(url: str, deadline: float) -> Any:
    """The JSON at an address, had by `time.monotonic() == deadline`. Redirects are not followed:
    keys come from the address that is trusted, or not at all."""
    timeout = max(0.1, deadline - time.monotonic())
    with open_url(url, headers={"Accept": "application/json"}, timeout_seconds=timeout) as response:
        return json.loads(read_content(response, MAX_KEY_SET_BYTES, deadline))
