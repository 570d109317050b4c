"""The readme of a Parquet snapshot."""

from collections.abc import Mapping, Sequence
from typing import Any

README = """\
# A snapshot of the critical-minerals policy tracker

All states that were known at position {position}: a row a version, a file a kind of entity.

| file | rows |
| --- | --- |
{files}

A version is a state with the days and the positions at which it holds; all ends are inclusive, and null
where there is none.

| column | is |
| --- | --- |
| `entity`, `key` | its name in the log, and the part of it behind the kind |
| `valid_from`, `valid_until` | the days in the world |
| `known_from`, `known_until` | the positions of the log at which it said so |
| `recorded_at`, `replaced_at` | when the first of them, and the one behind the last, were recorded |
| `because` | the positions of the events that it follows from |
| `state` | all of it as JSON: the text that digests hash |

The other columns are the parts of `state`; `manifest.json` has their types. Words are those of the
API (`IN_FORCE`), dates of stated precision are texts (`2025-11`), numbers are doubles (exact in `state`).
A null never means 0: `qualifier` says what stands in the place of a number. `note` and `quotation` are
commitments to texts that a law may force out.

With [DuckDB](https://duckdb.org), the clauses in force on a day:

    SELECT export_controls.key, clause.id, clause.measure, clause.commodities
    FROM 'export_controls.parquet' AS export_controls, unnest(clauses) AS part (clause)
    WHERE known_until IS NULL AND clause.status = 'IN_FORCE'
      AND DATE '{day}' BETWEEN valid_from AND coalesce(valid_until, 'infinity');

The digest of the state on that day, which is `asOf(validAt: "{day}", position: "{position}") {{ digest }}`:

    SELECT sha256(string_agg('{{"entity":"' || entity || '","state":' || state || '}}' || chr(10), ''
                             ORDER BY entity))
    FROM read_parquet('*.parquet', union_by_name = true)
    WHERE known_until IS NULL
      AND DATE '{day}' BETWEEN valid_from AND coalesce(valid_until, 'infinity');

It is {digest} (state format {state_format}: only digests of the same format are comparable).

Licence: {licence}.
Cite as: {cite}
"""


def snapshot_readme(lines: Mapping[str, str], files: Sequence[Mapping[str, Any]]) -> str:
    """Return the readme for a snapshot with these files."""
    return README.format(
        position=lines["position"],
        day=lines["digest_valid_at"],
        digest=lines["digest"].removeprefix("sha256 "),
        state_format=lines["state_format"],
        licence=lines["licence"],
        cite=lines["cite"],
        files="\n".join(f"| `{file['name']}` | {file['rows']:,} |" for file in files),
    )
