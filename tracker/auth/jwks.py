"""The keys of an issuer: fetched, cached, and fetched again for a token with an unknown key.

No request waits longer than FETCH_TIMEOUT_SECONDS for an issuer. There is one fetch at a time, and tokens
with invented key ids cause at most one in REFETCH_PAUSE_SECONDS.
"""

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError
from msgspec import Struct

from tracker.errors import Unavailable
from tracker.http_client import open_url, read_content

FETCH_TIMEOUT_SECONDS = 5
"""Timeout of an issuer's response in seconds."""
REFETCH_PAUSE_SECONDS = 10
"""Minimum seconds between two attempts to fetch keys."""
REFRESH_AFTER_SECONDS = 300
"""Age in seconds after which valid keys are refreshed, in parallel to requests."""
MAX_KEY_AGE_SECONDS = 3600
"""Maximum age of keys in seconds: the issuer may have withdrawn older ones."""
MAX_KEY_SET_BYTES = 1 << 20
MIN_RSA_BITS = 2048
"""Minimum length of RSA keys in bits; shorter ones are ignored."""

RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
ALGORITHMS = {
    ("RSA", None): RSA,
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
}
"""Signature algorithms by kind of key. Symmetric ones are excluded: a public key is not secret, and must
never verify a token as a shared key."""
PUBLIC_MEMBERS = ("kty", "crv", "n", "e", "x", "y")

logger = logging.getLogger(__name__)


class IssuerKey(Struct, frozen=True):
    """A public key of an issuer, with its permitted algorithms."""

    public: Any
    algorithms: frozenset[str]


class IssuerKeys:
    """The keys of one issuer, by their ids."""

    def __init__(
        self, issuer: str, keys_url: str | None = None, clock: Callable[[], float] = time.monotonic
    ):
        """Set the address of the keys; by default it is read from the issuer's configuration."""
        self._issuer, self._keys_url, self._clock = issuer, keys_url, clock
        self._keys: dict[str, IssuerKey] = {}
        self._fetched = self._tried = -math.inf
        self._fetching: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "issuer")

    async def get(self, id: str) -> IssuerKey | None:
        """Return the key of an id; None if the issuer has none.

        Raises Unavailable if the issuer does not respond and the cached keys cannot decide.
        """
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
        """Fetch the keys, unless that was tried recently; one fetch runs at a time."""
        if self._fetching is None and self._clock() - self._tried >= REFETCH_PAUSE_SECONDS:
            self._tried = self._clock()
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        """Fetch the keys; if that fails, keep the present ones."""
        try:
            loop = asyncio.get_running_loop()
            deadline = time.monotonic() + FETCH_TIMEOUT_SECONDS
            async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
                keys = await loop.run_in_executor(
                    self._thread, download, self._issuer, self._keys_url, deadline
                )
            self._keys, self._fetched = parse_key_set(keys), self._clock()
        except (
            OSError,
            HTTPException,
            ValueError,
            RecursionError,
        ) as error:  # too late: an OSError
            logger.warning(
                "the keys of %s can't be fetched: %s",
                self._issuer,
                error or f"no answer in {FETCH_TIMEOUT_SECONDS} seconds",
            )
        finally:
            self._fetching = None


def parse_key_set(document: Any) -> dict[str, IssuerKey]:
    """Return the usable keys of a JSON Web Key Set (RFC 7517); others are ignored.

    Raises ValueError for an invalid set.
    """
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("expected a set of keys")
    return {
        key["kid"]: usable
        for key in document["keys"]
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
    """Return the permitted algorithms of a key, by its kind and its own declaration."""
    if key.get("use", "sig") != "sig" or "verify" not in key.get("key_ops", ["verify"]):
        return frozenset()
    known = ALGORITHMS.get((str(key.get("kty")), key.get("crv")), frozenset())
    return known & {key["alg"]} if "alg" in key else known


def download(issuer: str, keys_url: str | None, deadline: float) -> Any:
    """Fetch the key set of an issuer. It blocks.

    Raises OSError, HTTPException or ValueError, also for the configuration of another issuer (OpenID Connect
    Discovery 4.3).
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
    """Return whether keys may be fetched from an address, without the risk of interception."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https"
            or (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1"))
        )
    except ValueError:
        return False


def fetch_json(url: str, deadline: float) -> Any:
    """Return the JSON at an address, received before `time.monotonic() == deadline`.

    Redirects are not followed: keys come only from the trusted address.
    """
    timeout = max(0.1, deadline - time.monotonic())
    with open_url(url, headers={"Accept": "application/json"}, timeout_seconds=timeout) as response:
        return json.loads(read_content(response, MAX_KEY_SET_BYTES, deadline))
