"""From the records of a file to rows, whatever its format; refuses bytes that are no text."""

import re
from typing import Any

from tradebook.text import encodable, shortened, shown
from tradebook.transfer.files.encodings import Encoding
from tradebook.transfer.rows import VALUE_SHOWN_MAX, Mapping, Problem, Recognised, Record, Row

SAMPLES_MAX = 8
_SAMPLES_OF_ROW = 2
_SAMPLE_LENGTH_MAX = 40
_LOOKED_AT_MAX = 1_000
"""Who has met so many values with such letters has met most of those that differ."""
_MARK = re.compile("[\udc00-\udcff]")
PROBLEM = "problem"
"""The column that a file of rejects has more than the file it came from."""
PROBLEM_TOLD = f"{PROBLEM}, which a file of rejects has"


class Records:
    """Makes rows of the records of one file."""

    def __init__(self, mapping: Mapping | None, recognised: Recognised, *, unguard: bool) -> None:
        self.mapping = mapping
        self.are_ours = mapping is None or mapping.is_by_name
        """Whether the file's columns are ours by name."""
        self.recognised = recognised
        self.unguard = unguard
        self._encoding = ""
        self._has_marks = False
        self._wants_samples = True
        self._looked_at = 0

    def watch(self, encoding: Encoding) -> None:
        """Look for what is no text in this encoding, and for letters beyond ASCII, where there are any."""
        self._encoding = encoding.told
        self._has_marks = encoding.has_marks
        self._wants_samples = not encoding.is_ascii

    def row(self, line: int, record: Record, raw: Any) -> Row:
        """Make a row of a record, which then belongs to the row."""
        if self._wants_samples:
            self._sample(record)
        if self.mapping is None:
            row = Row(line, record, raw=raw)
        else:
            row = self.mapping.row(line, record)
            row.raw = raw
        if self._has_marks:
            self._refuse_marked(row)
        return row

    def unreadable(self, line: int, reason: str, raw: Any, value: str | None = None) -> Row:
        """Make a row of what could not be taken apart."""
        shown_value = None if value is None else shortened(value.strip(), VALUE_SHOWN_MAX)
        return Row(line, {}, [Problem(line, None, shown_value, reason)], raw=self._encodable(raw))

    def _sample(self, record: Record) -> None:
        try:
            # The quick way past most rows.
            if "".join(record.values()).isascii():  # type: ignore[arg-type]
                return
        except TypeError:
            pass
        samples, found = self.recognised.samples, 0
        for value in record.values():
            if not isinstance(value, str) or value.isascii() or _MARK.search(value):
                continue
            self._looked_at += 1
            sample = shown(shortened(" ".join(value.split()), _SAMPLE_LENGTH_MAX))
            if sample not in samples and any(c.isalpha() and not c.isascii() for c in sample):
                samples.append(sample)
                found += 1
            if found == _SAMPLES_OF_ROW:
                break
        self._wants_samples = len(samples) < SAMPLES_MAX and self._looked_at < _LOOKED_AT_MAX

    def _refuse_marked(self, row: Row) -> None:
        row.raw = self._encodable(row.raw)
        for column in [name for name, value in row.values.items() if _is_marked(value)]:
            value = row.values.pop(column)
            text = value if isinstance(value, str) else str(value)
            mark = _MARK.search(text)
            byte = ord(mark[0]) - 0xDC00 if mark else 0
            reason = (
                f"has the byte {byte:02X}, which is no {self._encoding.split(' with')[0]}: mend it, or name "
                "the encoding of the whole file (--encoding)"
            )
            row.problems.append(
                Problem(row.line, column, shortened(encodable(text), VALUE_SHOWN_MAX), reason)
            )
            row.refused.append(column)

    def _encodable(self, raw: Any) -> Any:
        if isinstance(raw, str):
            return raw.encode("utf-8", "surrogatepass") if _MARK.search(raw) else raw
        if isinstance(raw, list):
            return [self._encodable(cell) for cell in raw]
        return raw


def _is_marked(value: Any) -> bool:
    if isinstance(value, str):
        return not value.isascii() and _MARK.search(value) is not None
    if isinstance(value, list):
        return any(map(_is_marked, value))
    return isinstance(value, dict) and any(map(_is_marked, value.values()))
