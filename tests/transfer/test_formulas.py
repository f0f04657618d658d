"""Cells that a spreadsheet would run never leave as they are, and always come back as they were."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tradebook.transfer.cells import escape, unescape

STARTERS = "=+-@\t\r\n＝＋－＠"

cells = st.text(st.sampled_from(f"'\"{STARTERS}aé1 ") | st.characters())


@given(cell=cells)
@example(cell="'=1")
@example(cell="''=1")
@example(cell="\"'=1")
def test_what_was_escaped_comes_back(cell):
    assert unescape(escape(cell)) == cell


@given(cell=cells)
def test_nothing_leaves_that_runs(cell):
    assert not escape(cell).startswith(tuple(STARTERS))


@given(cell=st.text(st.characters(exclude_characters=f"'\"{STARTERS}")))
def test_what_does_not_run_stays_as_it_is(cell):
    assert escape(cell) == unescape(cell) == cell


@pytest.mark.parametrize("cell", ["'hello", "O'Neill", "'", "''", "'t Hooft & Zn."])
def test_an_apostrophe_of_the_files_own_stays(cell):
    assert escape(cell) == unescape(cell) == cell


@pytest.mark.parametrize("cell", ["=cmd|'/c calc'!A0", "+49 30 1234", "-1", "@SUM(A1)", '"=1+1"', "\t=1"])
def test_formulas_are_marked_as_text(cell):
    assert escape(cell) == f"'{cell}"
