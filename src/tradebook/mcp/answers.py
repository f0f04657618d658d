"""The text that a tool answers with, no longer than it may be: cut at a row, with what was left out."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tradebook.mcp.asking import Json, next_cursor
from tradebook.mcp.tokens import cut, tokens
from tradebook.text import counted

TOKENS_DEFAULT, TOKENS_MIN, TOKENS_MAX = 4_000, 200, 50_000
"""How many tokens an answer may have."""

TAIL = 90
"""How many are kept free for the line that says how to go on."""

WORTHWHILE = 20
"""For how many tokens a line is begun that has to be cut."""


class Answer:
    """Lines within a number of tokens."""

    def __init__(self, tokens_max: int = TOKENS_DEFAULT) -> None:
        self._lines: list[str] = []
        self._left = tokens_max - TAIL
        self._dropped = 0

    def add(self, *lines: str) -> None:
        """Add lines. The one that there is too little room for is cut, and those behind it are counted."""
        for line in lines:
            cost = tokens(line) + 1
            if cost > self._left and self._left < WORTHWHILE:
                self._left, self._dropped = 0, self._dropped + 1
                continue
            self._lines.append(line if cost <= self._left else cut(line, self._left - 1))
            self._left -= min(cost, self._left)

    def room_for(self, rows: Iterable[str]) -> int:
        """Tell how many of some rows there is room for."""
        left, count = self._left, 0
        for row in rows:
            left -= tokens(row) + 1
            if left < 0:
                break
            count += 1
        return count

    def text(self, last: str = "") -> str:
        """Return the text, with a last line, for which there is room."""
        dropped = (
            f"Left out: {counted(self._dropped, 'line')}; a larger max_tokens shows them."
            if self._dropped
            else ""
        )
        return "\n".join((*self._lines, *filter(None, (dropped, last))))


class Shown(NamedTuple):
    """The rows of a list that there is room for."""

    rows: list[str]
    cursor: str | None
    """Where it goes on; None at its end. Empty where nothing of it is shown."""
    left_out: int
    """How many of those that were asked for are not shown."""


def fitted(
    answer: Answer,
    ask: Callable[[int], Json],
    row_of: Callable[[Json], str],
    *,
    heading: str,
    limit: int,
    rows_min: int = 1,
    rows_max: int | None = None,
) -> Shown:
    """Read a page of a list, as far as there is room for its rows, and add them to the answer.

    `limit` are asked for. Of them, `rows_min` are shown in any case, and `rows_max` at most.
    """
    page = ask(limit)
    asked = len(page["data"])
    while True:
        rows = [row_of(found) for found in page["data"]]
        count = max(rows_min, answer.room_for([heading, *rows[:rows_max]]) - 1)
        if count >= len(rows):
            break
        if count == 0:
            return Shown([], "", asked)
        # A page that ends behind a row has the cursor to go on from there.
        page = ask(count)
    if rows:
        answer.add(heading, *rows)
    return Shown(rows, next_cursor(page), asked - len(rows))
