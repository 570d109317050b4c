"""Pack the tariff lines that ship: `python -m tools.pack_tariff_lines DIR`.

DIR has editions of the tariff schedule of the United States, `hts-2026-rev10.jsonl`: the rows of the export
as JSON lines, of which `why` is `lines` for those that ship, and `row` their place in the whole export. Run
`tracker corpus build` afterwards.
"""

import lzma
import sys
from pathlib import Path

import msgspec
from msgspec.structs import astuple

import tracker.corpus
from tracker.corpus.tariffs import TARIFFS
from tracker.sources.readers.hts import Row, edition_key


def packed(directory: Path) -> bytes:
    """Return the compressed file of the editions in a directory."""
    out = list[bytes]()
    for path in sorted(directory.glob("hts-*.jsonl")):
        out.append(msgspec.json.encode({"edition": edition_key(path.stem.removeprefix("hts-"))}))
        rows = [msgspec.json.decode(text) for text in path.read_bytes().splitlines()]
        kept = (msgspec.convert(row, Row) for row in rows if row["why"] == "lines")
        out += [msgspec.json.encode(astuple(row)) for row in kept]
    return lzma.compress(b"\n".join(out), preset=9)


if __name__ == "__main__":
    (Path(tracker.corpus.__file__).parent / TARIFFS).write_bytes(packed(Path(sys.argv[1])))
