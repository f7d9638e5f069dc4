"""Pages of a list and its addresses."""

from __future__ import annotations

from attt_collector.web.figures import Bar
from attt_collector.web.listing import ROWS_A_PAGE, address, paged


def test_it_works() -> None:
    rows = tuple(range(ROWS_A_PAGE * 2 + 1))
    listed = paged(rows, 2, "/thiet-bi", {"tim": "a b", "trang": "2"})
    assert (ROWS_A_PAGE, ROWS_A_PAGE * 2 - 1) == (listed.rows[0], listed.rows[-1])
    assert (2, 3) == (listed.page, listed.pages)
    assert "/thiet-bi?tim=a+b&trang=1" == listed.previous
    assert "/thiet-bi?tim=a+b&trang=3" == listed.next


def test_a_page_that_does_not_exist_becomes_the_nearest() -> None:
    rows = tuple(range(ROWS_A_PAGE + 1))
    assert 2 == paged(rows, 99, "/", {}).page
    assert 1 == paged(rows, -5, "/", {}).page


def test_no_rows_are_one_empty_page() -> None:
    listed = paged((), 1, "/", {})
    assert ((), 1, None, None) == (listed.rows, listed.pages, listed.previous, listed.next)


def test_a_changed_filter_begins_at_the_first_page() -> None:
    query = {"trang-thai": "dat", "trang": "4", "tim": "x"}
    assert "/a?trang-thai=khong-dat&tim=x" == address("/a", query, trang_thai="khong-dat")
    assert "/a?tim=x" == address("/a", query, trang_thai="")


def test_the_parts_of_a_bar_fill_it_and_stand_side_by_side() -> None:
    bar = Bar(passed=1, failed=1, unknown=2)
    expected = (("pass", "0.00%", "25.00%"), ("fail", "25.00%", "25.00%"))
    assert (*expected, ("unknown", "50.00%", "50.00%")) == bar.segments
    assert () == Bar(0, 0, 0).segments
    assert (("unknown", "0.00%", "100.00%"),) == Bar(0, 0, 3).segments
