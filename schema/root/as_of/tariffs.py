"""Lines of tariffs at a moment."""

from enum import Enum

from projections.query.lists import Filter
from projections.versions.rows import code_word
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import CommodityId, check_hs_code, parse_with_descendants, parse_word
from schema.inputs.order_by import TariffLineOrder
from schema.root.as_of.base import AtMoment
from schema.types.connection import PageSource
from schema.types.list_field import list_field
from schema.types.tariff import TariffEdition, TariffLine
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.errors import TrackerError


@object_type
class Tariffs(AtMoment):
    """Lines of tariffs at a moment."""

    @list_field(TariffLine, TariffLineOrder)
    async def tariff_lines(
        self,
        info: Info,
        order: Enum,
        commodity: CommodityId = None,
        code: str | None = None,
        code_of: str | None = None,
    ) -> PageSource[TariffLine]:
        """Lines of tariffs, by place and code. `commodity` selects the lines below its codes of the
        Harmonized System, which may have other goods too. `tariffEditions` has the chapters that were
        read.

        - code: Only the line with this code, or lines below this heading of 4 or subheading of 6 digits,
          such as `8112.92`.
        - code_of: Only lines of the tariff of this place, such as `US`.
        """
        beginnings = None if code is None else [_digits(code)[:8]]
        if commodity is not None:
            keys = parse_with_descendants(commodity) or []
            of = {hs for key in keys for hs in Commodity(key).hs_codes}
            beginnings = sorted(of if beginnings is None else _below(of, beginnings[0]))
        about = None if beginnings is None else [*map(code_word, beginnings)]
        places = None if code_of is None else [parse_word(Place, code_of, "codeOf")]
        return self.listing(info, TariffLine, order, Filter(about=about, places=places))

    @resolver_field
    async def tariff_line(self, info: Info, code: str, code_of: str) -> TariffLine | None:
        """The line of a code. An unknown code is an error that names the nearest codes, a retired one an
        error that names its successors.

        - code: Its code of 8 digits, or with a suffix of 10: `8112.92.10`.
        - code_of: The place whose tariff has the code, such as `US`.
        """
        place = parse_word(Place, code_of, "codeOf")
        tariffs = info.context.services.as_of.tariffs
        line = await tariffs.line(place, _digits(code), self.moment)
        return TariffLine.at(line, self.moment)

    @resolver_field
    async def tariff_editions(self, info: Info) -> list[TariffEdition]:
        """The editions of tariff schedules that were read and public on this date, by key."""
        editions = await info.context.services.as_of.tariffs.editions(self.moment)
        public = [one for one in editions if one.printed_on <= self.moment.valid_at]
        return [TariffEdition.at(one, self.moment) for one in public]


def _digits(code: str) -> str:
    """Return a code without dots. Raises InvalidInput at `code`."""
    try:
        return check_hs_code(code)
    except TrackerError as error:
        error.path = ("code",)
        raise


def _below(codes: set[str], beginning: str) -> set[str]:
    """Return the narrower of codes and a code, as far as one is below the other."""
    return {
        max(one, beginning, key=len)
        for one in codes
        if (one.startswith(beginning) or beginning.startswith(one))
    }
