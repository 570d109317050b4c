"""The unsigned files of a bundle beside the log: the key, a readme, JSON Schemas."""

import json
from typing import Any

from schema.routes.json_schemas import json_schema, present_number
from tracker.audit.format.layout import KEY
from tracker.audit.verify.trust import TrustPolicy
from tracker.domain.events.registry import FACTS

README = """\
# A log of the critical-minerals policy tracker

This directory is a transparency log in the open formats of https://c2sp.org: tlog-tiles,
tlog-checkpoint, signed-note. Hashes are those of RFC 6962, SHA-256.

| path | is |
| --- | --- |
| `checkpoint` | the signed head: origin, number of events, root of their tree |
| `checkpoints/<size>` | heads that were signed when the log had so many events |
| `tile/entries/<N>` | 256 entries, each after its length in two bytes, big-endian |
| `tile/<L>/<N>` | 256 hashes of a level; `tile/0` has those of entries |
| `….p/<W>` | the same where it has only W of them: the last of its level |
| `key` | the verifier keys of the log: compare them with those that you have from elsewhere |
| `annexes` | texts that entries commit to, a JSON line each; a copy lacks them where the log has none |
| `snapshots/<XX>/<S>` | bytes that events name by their SHA-256, S; an export may leave them out |
| `schemas/<type>.json` | the JSON Schema of the data of each event type; nothing signs it |

An entry is an event: a CloudEvents 1.0 object in JSON, byte for byte as it was recorded and
delivered. Entry number 0 is the event at position 1.

    tracker verify DIR --key KEY      is this what was signed? names the first position that is not
    tracker replay DIR --key KEY      the digest of the whole state, from this directory alone
    tracker restore DIR --key KEY     a database again, with the same positions, times and root
"""


def bundle_extras(trust: TrustPolicy) -> dict[str, bytes]:
    """Return files by their path in the bundle."""
    schemas = {
        f"schemas/{type_}.json": _pretty(json_schema(type_, present_number(type_)))
        for type_ in FACTS
    }
    return {
        KEY: "".join(f"{key}\n" for key in trust.keys).encode(),
        "README.md": README.encode(),
        **schemas,
    }


def _pretty(schema: dict[str, Any]) -> bytes:
    return json.dumps(schema, indent=2).encode() + b"\n"
