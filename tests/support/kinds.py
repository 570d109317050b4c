"""Kinds of tests by file: drills, which only CI and `just nightly` run, and quick tests.

`pytest` runs all but the drills. `pytest -m drill` runs the drills; CI leaves out those marked `nightly`.
`pytest -m quick` a minute of tests that touch every package, and `pytest -m ""` runs everything. Paths on the
command line run whatever their kind.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

TESTS = Path(__file__).parents[1]
DRILLS = (
    "alerts/test_crashes.py",
    "audit/test_auditing.py",
    "audit/test_bundle.py",
    "browser",
    "clients/test_installed_clients.py",
    "contract/test_asyncapi.py",
    "contract/test_clients.py",
    "contract/test_derivation.py",
    "contract/test_generated.py",
    "contract/test_security.py",
    "corpus/test_released.py",
    "deploy/test_backing_up.py",
    "deploy/test_backup_drill.py",
    "deploy/test_cli.py",
    "deploy/test_clock.py",
    "deploy/test_connections.py",
    "deploy/test_data_dirs.py",
    "deploy/test_deployments.py",
    "deploy/test_documented_lines.py",
    "deploy/test_endpoint_cli.py",
    "deploy/test_forge.py",
    "deploy/test_images.py",
    "deploy/test_misconfigurations.py",
    "deploy/test_old_data.py",
    "deploy/test_operating.py",
    "deploy/test_paced_reading.py",
    "deploy/test_packaging.py",
    "deploy/test_parquet_export.py",
    "deploy/test_pooler.py",
    "deploy/test_postgres.py",
    "deploy/test_read_only.py",
    "deploy/test_receipts_of_files.py",
    "deploy/test_review_cli.py",
    "deploy/test_snapshot.py",
    "deploy/test_start.py",
    "deploy/test_terminal.py",
    "deploy/test_two_releases.py",
    "deploy/test_watch_cli.py",
    "faults",
    "metadata/test_catalogue.py",
    "metadata/test_files_for_programs.py",
    "pages/test_crawl.py",
    "schema/test_paging.py",
    "schema/test_table_downloads.py",
    "sources/test_second_reader.py",
    "sources/test_second_reader_alone.py",
    "sources/test_second_reader_flows.py",
    "test_idle_programs.py",
    "test_notebook.py",
    "tools/test_answer_changes.py",
    "tools/test_benchmarks.py",
    "tools/test_cluster.py",
    "truth",
)
"""Faults, clusters, commands as processes, embedded PostgreSQL, browsers, oracle sweeps, releases."""
DRILL_LIBRARIES = {
    "browser": "playwright",
    "contract/test_generated.py": "schemathesis",
    "deploy/test_parquet_export.py": "pyarrow",
    "metadata/test_catalogue.py": "pyshacl",
    "metadata/test_files_for_programs.py": "mlcroissant",
    "sources/test_second_reader.py": "pyarrow",
    "sources/test_second_reader_alone.py": "pyarrow",
    "sources/test_second_reader_flows.py": "pyarrow",
    "test_notebook.py": "marimo",
}
"""Drills that import a library of the extra `drill`."""
NIGHTLY = (
    "audit/test_auditing.py",
    "browser/test_stories.py",
    "browser/test_truth.py",
    "contract/test_generated.py",
    "deploy/test_data_dirs.py",
    "deploy/test_old_data.py",
    "deploy/test_packaging.py",
    "deploy/test_postgres.py",
    "deploy/test_receipts_of_files.py",
    "deploy/test_start.py",
    "faults",
    "pages/test_crawl.py",
    "schema/test_paging.py",
    "test_idle_programs.py",
    "test_notebook.py",
    "tools/test_benchmarks.py",
    "tools/test_cluster.py",
)
"""The longest drills, which CI leaves to `just nightly`."""
QUICK = (
    "assistants/test_book.py",
    "audit/test_merkle.py",
    "audit/test_signed_note.py",
    "auth/test_cookie.py",
    "commands/test_corrections.py",
    "contract/test_resume_tokens.py",
    "corpus/test_checks.py",
    "delivery/test_message.py",
    "delivery/test_schedule.py",
    "delivery/test_signatures.py",
    "deploy/test_import_names.py",
    "deploy/test_settings_file.py",
    "domain",
    "log/test_log.py",
    "log/test_upcasting.py",
    "pages/test_search.py",
    "pages/test_status_sentences.py",
    "pages/test_status_bars.py",
    "pages/test_tools.py",
    "pages/test_world_map.py",
    "postgres/test_batching.py",
    "postgres/test_hosts.py",
    "projections/test_claims.py",
    "projections/test_clause_matches.py",
    "projections/test_groups.py",
    "projections/test_transitions.py",
    "review/test_states.py",
    "schema/test_hs_code.py",
    "schema/test_moments.py",
    "schema/test_query_cost.py",
    "schema/test_request.py",
    "schema/test_response_cache.py",
    "snapshots/test_redaction.py",
    "sources/test_bgs.py",
    "sources/test_text_files.py",
    "test_wording.py",
    "tools/test_sql_mutation.py",
    "watch/adapters/test_feed.py",
    "watch/test_days.py",
    "web/test_robots.py",
)
"""Fast tests of every package."""


def missing_library(path: Path) -> str | None:
    """Return the library that a test file needs and this environment does not have."""
    for name, library in DRILL_LIBRARIES.items():
        if is_below(path, (name,)) and not find_spec(library):
            return library
    return None


@cache  # paths compare slowly, and each test of a file has its path
def is_below(path: Path, names: tuple[str, ...]) -> bool:
    """Whether a test file is one of some files, or in one of some directories."""
    return any(path.is_relative_to(TESTS / name) for name in names)
