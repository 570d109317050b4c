"""Parsed requests for pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from schema.execution.url_parameters import MOMENT, SCENARIO
from schema.http.authentication import Client
from schema.pages.site.address import Address
from schema.pages.site.frame import Session
from schema.pages.site.name_fields import code_of
from schema.pages.site.page import Page
from tracker.errors import InvalidInput

MAX_QUERY_PARAMETERS = 50
MAX_VALUE_CHARACTERS = 4000
"""Maximum length of all values together: names in them are looked up before the client has its slot."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A parsed request for a page."""

    request: Request
    client: Client
    page: Page
    address: Address
    session: Session

    @property
    def origin(self) -> str:
        """Return the scheme and host of the request."""
        return str(self.request.base_url).rstrip("/")


def read_address(page: Page, request: Request, ending: str | None) -> Address:
    """Return the address of a request for a page. Raises InvalidInput."""
    path = request.url.path
    if ending:
        path = "/" if page.path == "/" else path.removesuffix(f".{ending}")
    return address_of(page, path, request.path_params, request.query_params.multi_items())


def address_of(
    page: Page, path: str, in_path: Mapping[str, object], pairs: Sequence[tuple[str, str]]
) -> Address:
    """Return the address of a page from its path, the parameters in it, and those of its query.

    A repeated parameter is a list. A blank one, as forms send them, is ignored. Raises InvalidInput.
    """
    parameters: dict[str, str] = {}
    size = sum(len(value) for _, value in pairs)
    if len(pairs) > MAX_QUERY_PARAMETERS or size > MAX_VALUE_CHARACTERS:
        raise InvalidInput(
            f"expected at most {MAX_QUERY_PARAMETERS} parameters, of {MAX_VALUE_CHARACTERS} letters in all",
            code="TOO_LARGE",
        )
    for name, value in pairs:
        if value.strip():
            parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    for short, name in page.aliases.items():
        if short in parameters and name in parameters:
            raise InvalidInput(f"means {name!r}, which has a value already", path=(short,))
    parameters = {page.aliases.get(name, name): value for name, value in parameters.items()}
    parameters = {
        name: value if name in page.without_codes else code_of(name, value)
        for name, value in parameters.items()
    }
    of_path = {name: str(value) for name, value in in_path.items()}
    for name in of_path:
        if name in parameters:
            raise InvalidInput("stands in the path of this address already", path=(name,))
    moment = {name: parameters.pop(name, None) for name in (*MOMENT, SCENARIO)}
    return Address(
        path, parameters={**of_path, **parameters}, path_names=frozenset(of_path), **moment
    )
