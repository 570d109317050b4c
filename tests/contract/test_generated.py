"""What schemathesis makes up from the schema is answered, or refused with a code."""

from __future__ import annotations

from schema.services import Access, Services
from tests.support.schemathesis_run import ask, generated
from tests.support.web_server import serving


async def test_no_generated_document_is_an_internal_error(corpus_services: Services) -> None:
    documents = generated(100)
    assert generated(10) == generated(10)
    async with serving(corpus_services, Access(open=True)) as (address, _, _):
        outcome = await ask(f"http://{address}", documents)
    assert not outcome.failures, "\n\n".join(outcome.failures[:5])
    assert outcome.codes["ok"] > 5
    assert len(outcome.codes) > 3
