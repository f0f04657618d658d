"""CSV cells that a spreadsheet would run: escaped on the way out, restored on the way in."""

import re

# What starts a formula, even behind quotes; some programs also accept the full-width forms.
_RUNS = re.compile("['\"]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_MARK = "'"


def escape(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run; everything else stays as it is."""
    return _MARK + cell if _RUNS.match(cell) else cell


def unescape(cell: str) -> str:
    """Undo `escape`, exactly: `unescape(escape(x)) == x` for every x, and `'hello` stays as it is."""
    return cell[1:] if cell.startswith(_MARK) and _RUNS.match(cell, 1) else cell
