"""Tables as cards on phones: roles for all, labels for the cells of wide ones."""

from schema.pages.site.templates import with_cards

HEADS = ("Place", "Since <small>day</small>", "A &amp; B", '<span class="vh">As a bar</span>')


def table(cells: str, attributes: str = "", heads: tuple[str, ...] = HEADS) -> str:
    """Return a table with one row."""
    head = "".join(f'<th scope="col">{one}</th>' for one in heads)
    return (
        f"<table{attributes}><thead><tr>{head}</tr></thead><tbody><tr>{cells}</tr></tbody></table>"
    )


def test_the_cells_of_a_wide_table_name_their_column() -> None:
    html = with_cards(
        table('<th scope="row">China</th><td class="n">1</td><td>2</td><td></td>', ' class="x"')
    )
    assert '<table class="x cards" role="table">' in html
    assert '<th scope="row" role="rowheader">China</th>' in html
    assert '<td class="n" role="cell" data-label="Since day">1</td>' in html
    assert '<td role="cell" data-label="A &amp; B">2</td>' in html
    assert '<td role="cell" data-label="As a bar"></td>' in html
    assert html.count('role="columnheader"') == len(HEADS)
    assert (html.count('role="row"'), html.count('role="rowgroup"')) == (2, 2)


def test_a_cell_over_all_columns_has_no_label() -> None:
    assert "data-label" not in with_cards(table('<td colspan="4">Nothing</td>'))


def test_narrow_tables_and_those_with_an_own_layout_have_roles_only() -> None:
    narrow = with_cards(table("<td>1</td>", heads=HEADS[:3]))
    own = with_cards(table("<td>1</td>", ' class="rank"'))
    for html in (narrow, own):
        assert 'role="cell"' in html
        assert "data-label" not in html
        assert "cards" not in html


def test_text_outside_of_tables_stays() -> None:
    text = "<p>a &lt;td&gt; b</p>"
    assert with_cards(text) == text
