"""The words of a map's tables: what each takes, and what is told of a wrong one."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from tradebook.crud.kinds import did_you_mean
from tradebook.text import fold
from tradebook.text import shown as as_seen
from tradebook.transfer.maps.options import shown

_COMPARED_MAX, _PART_MIN, _NEAR = 100, 4, 0.7
_SIGNS = re.compile(r"[\W_]+")
Reader = Callable[[Any], Any]
"""Reads the value of a word; ValueError says what the word takes."""


class Mistakes:
    """What is wrong with a map, in its order; more than `MAX` are not looked for."""

    MAX = 100

    def __init__(self) -> None:
        self.found: list[str] = []

    @property
    def are_enough(self) -> bool:
        """Whether more would help nobody."""
        return len(self.found) > self.MAX

    def note(self, where: str, what: object) -> None:
        """Note a mistake: where it stands, and a sentence without its end."""
        sentence = as_seen(f"{where}: {what}")
        self.found.append(sentence if sentence.endswith((".", "?")) else f"{sentence}.")

    def told(self) -> list[str]:
        """Return what to tell of them."""
        return [*self.found[: self.MAX], "There are more mistakes."] if self.are_enough else self.found

    def unknown(self, where: str, kind: str, name: str, known: Iterable[str]) -> None:
        """Note a name that there is not, with the nearest one that there is."""
        names = list(known)
        hint = did_you_mean(name, names) or f"; there are {', '.join(names)}"
        self.note(where, f"there is no {kind} {shown(name)}{hint}")

    def read(self, where: str, reader: Reader, value: Any) -> Any:
        """Read a value; None, and a mistake, if it can't be read."""
        try:
            return reader(value)
        except ValueError as reason:
            self.note(where, reason)
            return None

    def table(
        self, where: str, value: Any, words: Mapping[str, Reader], told: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Read a table of words; what is wrong with one is noted, and the word left out.

        `told` are the words that there are, where that is more than those.
        """
        if not isinstance(value, dict):
            self.note(where, "takes a table of words")
            return {}
        found = {}
        for word, entry in value.items():
            if self.are_enough:
                break
            if word not in words:
                self.unknown(where, "word", word, told or words)
                continue
            read = self.read(f"{where} {word}", words[word], entry)
            if read is not None:
                found[word] = read
        return found


def text(value: Any) -> str:
    """Take a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError("takes text in quotes")
    return value


def texts(value: Any) -> tuple[str, ...]:
    """Take one text, or a list of texts; any of them may be empty."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed or not all(isinstance(entry, str) for entry in listed):
        raise ValueError('takes text in quotes, or a list of texts such as ["a", "b"]')
    return tuple(dict.fromkeys(listed))


def stripped(value: Any) -> tuple[str, ...]:
    """Take one text, or a list of texts, without the blanks around them."""
    return tuple(dict.fromkeys(word.strip() for word in texts(value)))


def flag(value: Any) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise ValueError("takes true or false, without quotes")
    return value


def table_of_words(value: Any) -> dict[str, Any]:
    """Take a table, whose words are read elsewhere."""
    if not isinstance(value, dict) or not value:
        raise ValueError("takes a table of ours = theirs")
    return value


def whole(minimum: int) -> Reader:
    """Take a whole number that is not below the least one."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
            raise ValueError(f"takes a whole number from {minimum} on, without quotes")
        return value

    return read


def one_of(*choices: str) -> Reader:
    """Take one of a few words."""

    def read(value: Any) -> str:
        if value not in choices:
            near = did_you_mean(value, choices) if isinstance(value, str) else ""
            raise ValueError(f"takes {_listed(choices)}, not {shown(value)}{near}")
        return str(value)

    return read


def _listed(choices: Sequence[str]) -> str:
    quoted = [f'"{choice}"' for choice in choices]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """Return the choice most like a name, whatever its case, blanks and signs; None if none is near."""
    letters = _letters(name[:_COMPARED_MAX])
    by_letters = {_letters(choice[:_COMPARED_MAX]): choice for choice in choices}
    near = get_close_matches(letters, by_letters, n=1, cutoff=_NEAR)
    if not near and len(letters) >= _PART_MIN:
        # Limit for Credit Limit.
        near = [
            each for each in by_letters if len(each) >= _PART_MIN and (each in letters or letters in each)
        ]
    return by_letters[near[0]] if near else None


def _letters(name: str) -> str:
    return _SIGNS.sub("", fold(name)) or name
