"""Drafts a map for a foreign file: what its columns probably are, and as comments what was not understood."""

from collections import Counter
from typing import BinaryIO

import msgspec

from tradebook.text import fold, fold_case, shortened
from tradebook.transfer.columns import ADDRESSES, Part
from tradebook.transfer.files.formats import FileFormat
from tradebook.transfer.maps.evidence import Evidence, country_code
from tradebook.transfer.maps.guesses import ADDRESS_COLUMNS, Guess, guess
from tradebook.transfer.maps.looking import Looked, look, text_of
from tradebook.transfer.maps.toml_text import Right, commented, key, line, quoted
from tradebook.transfer.maps.trying import Trial, closed_words, date_formats
from tradebook.transfer.rows import FileOptions

_VALUES_SHOWN_MAX = 40
_NAMES_SHOWN_MAX = 5
LAST_ROWS = 3
"""How far from the end of a list its totals may stand."""
TOTALS = frozenset(
    ("total", "totals", "grand total", "summe", "gesamt", "gesamtsumme", "somme", "totaal", "totale")
)


class Draft(msgspec.Struct):
    """A map that was drafted, and what a person is told of it."""

    text: str
    headings: list[str]
    taken: int
    notes: list[str] = []


def draft_map(file: BinaryIO, file_format: FileFormat, options: FileOptions, name: str) -> Draft:
    """Draft a map for a file that can be read twice; `name` is what the file is called.

    The map loads, and whatever it takes can be read in all rows that were looked at.
    """
    looked = look(file, file_format, options)
    drafter = _Drafter(looked, name)
    return drafter.draft()


class _Drafter:
    def __init__(self, looked: Looked, name: str) -> None:
        self._looked = looked
        self._name = name
        self._nothing = looked.nothing
        self._evidence = {
            heading: Evidence(looked.values(heading), frozenset(self._nothing)) for heading in looked.headings
        }
        self._trial = Trial(looked, self._nothing)
        self._found = guess(self._evidence)
        self._values: dict[str, dict[str, str]] = {}
        self._open: list[str] = []
        """Lines that are no part of the map until somebody decides something."""
        self._open_tables: list[str] = []
        self._open_defaults: list[str] = []
        self._notes: list[str] = []
        self._offered: list[str] = []
        """Columns that may be the name."""

    def draft(self) -> Draft:
        """Try every guess on every row, and write down what holds."""
        kept = [each for each in self._found.guesses if self._holds(each)]
        for part in ADDRESSES:
            kept = self._with_countries(part, kept)
        if not kept:
            kept = self._any_name()
        elif not any(each.column == "name" for each in self._found.guesses):
            self._ask_for_a_name()
        lines = [
            *self._beginning(),
            *self._file_lines(),
            *self._match_lines(kept),
            *self._skip_lines(),
            "[columns]",
            *(line(each.column, each.rights[0]) for each in kept),
            *commented(self._open),
            *self._left_out(),
            "",
            *self._default_lines(kept),
            *self._value_lines(),
        ]
        taken = {heading for each in kept for heading in each.headings}
        return Draft("\n".join(lines) + "\n", self._looked.headings, len(taken), self._notes)

    def _holds(self, each: Guess) -> bool:
        """Find the right side that reads every row; where there is none, the guess becomes a comment."""
        if self._looked.records and not any(self._evidence[heading].values for heading in each.headings):
            self._found.unknown += each.headings
            each.headings = []
            return False
        if each.column == "created_at" and self._has_two_formats(each):
            return False
        if each.column == "number" and not self._is_unique(each.headings[0]):
            self._put_off(each, "stands more than once, so it tells no customers apart")
            return False
        for one in each.rights:
            if self._trial.reads_all(each.column, one, defaults=self._currency(each)):
                each.rights = [one]
                return True
        if each.column.endswith(".country") and self._translate(each):
            return True
        unread = self._trial.unreadable(each.column, each.rights[0])
        if each.column.endswith(".country") or closed_words(each.column):
            self._ask_for_values(each, unread)
        else:
            self._put_off(each, f"can't be read in {sum(unread.values()):,} rows, such as {_listed(unread)}")
        return False

    def _any_name(self) -> list[Guess]:
        """Take the first column that could be a name, one of words before others, to begin with a line."""
        for heading in sorted(self._looked.headings, key=lambda each: not self._evidence[each].has_words):
            if heading and "\0" not in heading and self._trial.reads_all("name", heading):
                self._notes.append(f"No column was recognised. The map takes {quoted(heading)} for the name.")
                self._found.guesses.append(Guess("name", [heading], [heading]))
                return self._found.guesses[-1:]
        return []

    def _ask_for_a_name(self) -> None:
        """Say that there is no name, and list the columns that may be one: those with words in them."""
        self._notes.append("No column is taken for the name, and a new customer needs one.")
        taken = {heading for each in self._found.guesses for heading in each.headings}
        wordy = [
            heading
            for heading in self._looked.headings
            if heading and "\0" not in heading and heading not in taken and self._evidence[heading].has_words
        ]
        self._offered = wordy[:_NAMES_SHOWN_MAX]
        if self._offered:
            self._open.append("No column is taken for the name. If it is one of these, take the # off:")
            self._open += [line("name", heading) for heading in self._offered]

    def _put_off(self, each: Guess, why: str) -> None:
        self._open += [f"{', '.join(map(quoted, each.headings))} {why}:", line(each.column, each.rights[0])]

    def _is_unique(self, heading: str) -> bool:
        values = [fold_case(value) for value in self._evidence[heading].values]
        return len(set(values)) == len(values)

    def _currency(self, each: Guess) -> dict[str, str]:
        currency = self._evidence[each.headings[0]].currency if each.column == "credit_limit" else None
        return {"credit_limit_currency": currency} if currency else {}

    def _has_two_formats(self, each: Guess) -> bool:
        """Write the formats of a date; nothing is chosen where the day could be the month."""
        heading = each.headings[0]
        formats = date_formats(self._evidence[heading].values)
        each.rights = [_dated(heading, one) for one in formats] or each.rights
        if len(formats) > 1:
            self._open.append(
                f"{quoted(heading)}: is the day or the month first? Take one of these two lines:"
            )
            self._open += [line(each.column, one) for one in each.rights]
            self._notes.append(
                f"{quoted(heading)} has the day or the month first; the map has a line for each."
            )
        return len(formats) > 1

    def _translate(self, each: Guess) -> bool:
        """Give the codes of countries that are written in another language; False if one is in none."""
        heading = each.rights[0]
        codes = {name: country_code(name) for name in self._trial.unreadable(each.column, heading)}
        known = {name: code for name, code in codes.items() if code}
        if len(known) < len(codes) or not self._trial.reads_all(
            each.column, heading, values={each.column: known}
        ):
            return False
        self._values[each.column] = known
        return True

    def _ask_for_values(self, each: Guess, unread: Counter[str]) -> None:
        words = closed_words(each.column)
        takes = f"one of {', '.join(words)}" if words else "a two-letter code"
        self._put_off(each, f"needs {takes}; say what its values mean, in [values] below")
        codes = (
            {name: country_code(name) or "" for name in unread} if not words else dict.fromkeys(unread, "")
        )
        self._open_tables += [f"[values.{key(each.column)}]"]
        listed = list(codes.items())[:_VALUES_SHOWN_MAX]
        self._open_tables += [line(theirs, ours) for theirs, ours in listed]
        if len(codes) > len(listed):
            self._open_tables.append(f"… and {len(codes) - len(listed):,} more")

    def _with_countries(self, part: Part, kept: list[Guess]) -> list[Guess]:
        """Leave an address out whose country nobody has said: every address needs one."""
        of_part = [each for each in kept if each.column.startswith(f"{part}.")]
        if not any(each.column in ADDRESS_COLUMNS[part] for each in of_part):
            return kept
        country = f"{part}.country"
        lines = {each.column: each.rights[0] for each in of_part}
        without = sum(
            not row.values.get(country) and any(row.values.get(column) for column in ADDRESS_COLUMNS[part])
            for row in self._trial.rows(lines, values=self._values_of(country))
        )
        if not without:
            return kept
        rows = "1 address has" if without == 1 else f"{without:,} addresses have"
        if country not in lines:
            rows = "Every address needs a country, and this file has"
        note = f"{rows} no country: say which one it is under [defaults], and take the # off these lines"
        self._open += [f"{note}:", *(line(column, one) for column, one in lines.items())]
        self._open_defaults.append(f'{key(country)} = "…"')
        self._notes.append(f"{note}.")
        return [each for each in kept if each not in of_part]

    def _values_of(self, column: str) -> dict[str, dict[str, str]]:
        return {column: self._values[column]} if column in self._values else {}

    def _beginning(self) -> list[str]:
        name = self._name
        stem = name.removesuffix(".gz").rsplit(".", 1)[0] or "map"
        count = len(self._looked.records)
        rows = f"{count:,} {'row' if count == 1 else 'rows'}"
        if not self._looked.is_whole:
            rows = f"the first {rows}"
        return commented(
            [
                f"A map for {quoted(name)}, drafted from its headings and {rows}. Read it, then try it:",
                "",
                f"  tradebook import customers {name!r} --account ac_… --map {stem + '.toml'!r} --dry-run",
            ]
        )

    def _file_lines(self) -> list[str]:
        looked, recognised = self._looked, self._looked.recognised
        lines = ["", "[file]"]
        if looked.options.encoding:
            lines.append(line("encoding", looked.options.encoding))
        elif recognised.encoding:
            lines += commented([f"Recognised: {recognised.encoding}"])
        if recognised.separator:
            lines.append(line("separator", recognised.separator))
        if recognised.header is not None and recognised.header != 1:
            lines.append(line("header", recognised.header))
        if looked.options.sheet:
            lines.append(line("sheet", looked.options.sheet))
        if self._nothing:
            lines.append(line("nothing", self._nothing))
        if looked.options.unguard:
            lines.append(line("unguard", True))
        return [*lines, *commented(recognised.notes), ""]

    def _match_lines(self, kept: list[Guess]) -> list[str]:
        """Say by what rows find their customers: a number, else an e-mail that nobody shares."""
        columns = {each.column: each.headings[0] for each in kept}
        if "number" in columns:
            return ["[match]", line("by", ["number"]), ""]
        if "email" in columns and self._is_unique(columns["email"]):
            return ["[match]", line("by", ["email"]), ""]
        self._notes.append("No column tells customers apart: the same file twice would make them twice.")
        return [
            *commented(["No column tells customers apart: the same file twice would make them twice."]),
            "",
        ]

    def _skip_lines(self) -> list[str]:
        """Leave out totals under a list: a word in one of the last rows, and no text beside it."""
        lines = []
        for record in self._looked.records[-LAST_ROWS:] if self._looked.is_whole else ():
            filled = {heading: text for heading, value in record.items() if (text := text_of(value))}
            named = (heading for heading in filled if heading and "\0" not in heading)
            words = [heading for heading in named if fold(filled[heading]).rstrip(":") in TOTALS]
            if words and not any(any(map(str.isalpha, filled[each])) for each in filled if each != words[0]):
                lines += ["[[skip]]", line("column", words[0]), line("is", [filled[words[0]]]), ""]
        return lines

    def _left_out(self) -> list[str]:
        """Name each heading that nothing is taken from, once, with what is in it."""
        taken = {heading for each in self._found.guesses for heading in each.headings}
        count = Counter(heading.partition("\0")[0] for heading in self._looked.headings)
        lines: dict[str, str] = {}
        for place, heading in enumerate(self._looked.headings, 1):
            name = heading.partition("\0")[0]
            if heading in taken or heading in self._offered:
                continue
            what = _described(self._evidence[heading])
            if not name:
                lines[heading] = f"column {place}, without a name: {what}"
            elif count[name] > 1:
                lines[name] = (
                    f"{quoted(name)} stands {count[name]} times: nth = 1 takes the first, nth = 2 the second"
                )
            elif twin := self._found.twins.get(heading):
                lines[name] = f"{quoted(name)}: another {twin}"
            else:
                lines[name] = f"{quoted(name)}: {what}"
        return commented(["", "Left out:", *(f"  {text}" for text in lines.values())]) if lines else []

    def _default_lines(self, kept: list[Guess]) -> list[str]:
        columns = {each.column: each for each in kept}
        lines = ["[defaults]"]
        if "credit_limit" in columns and "credit_limit_currency" not in columns:
            currency = self._currency(columns["credit_limit"]).get("credit_limit_currency")
            lines += (
                [line("credit_limit_currency", currency)]
                if currency
                else commented(['credit_limit_currency = "EUR"'])
            )
        if "type" not in columns:
            lines += commented(['type = "Customer"'])
        return [*lines, *commented(self._open_defaults)]

    def _value_lines(self) -> list[str]:
        lines = []
        for column, listed in self._values.items():
            lines += ["", f"[values.{key(column)}]", *(line(theirs, ours) for theirs, ours in listed.items())]
        return [*lines, *([""] if self._open_tables else []), *commented(self._open_tables)]


def _dated(heading: str, formats: list[str]) -> Right:
    return (
        heading
        if formats == ["iso"]
        else {"from": heading, "date": formats[0] if len(formats) == 1 else formats}
    )


def _listed(values: Counter[str]) -> str:
    return ", ".join(quoted(shortened(value, 40)) for value, _ in values.most_common(3))


def _described(evidence: Evidence) -> str:
    if not evidence.values:
        return "empty in every row"
    count = len(evidence.distinct)
    examples = ", ".join(quoted(shortened(value, 40)) for value in evidence.shown())
    return f"{count:,} different {'value' if count == 1 else 'values'}, such as {examples}"
