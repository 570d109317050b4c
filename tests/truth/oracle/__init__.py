"""An independent second implementation, written from the documentation alone without product imports.

It processes the events as JSON, slowly and simply, so that errors of the tracker are not repeated. Its
references are `docs/domain.md`, `docs/time.md` and the schema descriptions.
"""
