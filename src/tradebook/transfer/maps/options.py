"""How a file comes in, beside its columns: what a map says of that, and the options that win over it."""

from collections.abc import Callable, Sequence
from typing import TypeVar, get_args

import msgspec
from msgspec import structs

from tradebook.crud.kinds import did_you_mean
from tradebook.resources.import_options import MATCHED
from tradebook.text import shortened
from tradebook.transfer.columns import EXTERNAL_IDS
from tradebook.transfer.rows import FileOptions, Match, Skipping, Write

Found = TypeVar("Found")
WRITES: tuple[Write, ...] = get_args(Write)


class WrongOption(ValueError):
    """An option can't be used: its name, with underscores, and what is wrong with it."""

    def __init__(self, name: str, reason: ValueError) -> None:
        super().__init__(str(reason))
        self.name = name


class Options(msgspec.Struct, frozen=True):
    """What `[file]`, `[match]` and `[[skip]]` of a map say; without a map, all as it is by default."""

    file: FileOptions = FileOptions()
    match: Match = Match()
    keeps_empty: bool = False
    """Whether an empty cell leaves what an existing customer has."""
    skips: tuple[Skipping, ...] = ()

    def with_options(
        self,
        *,
        encoding: str | None = None,
        match: str | None = None,
        only: str | None = None,
        keep_empty: bool = False,
        sheet: str | None = None,
    ) -> "Options":
        """Return what holds where a command or a request gives options; WrongOption names one that is wrong.

        They win over the map. `match` names columns with commas between them.
        """
        file, matching = self.file, self.match
        if encoding is not None:
            file = structs.replace(file, encoding=_read("encoding", encoding, read_encoding))
        if sheet is not None:
            file = structs.replace(file, sheet=sheet)
        if match is not None:
            by = _read("match", match, lambda text: read_match_columns(text.split(",")))
            matching = structs.replace(matching, by=by)
        if only is not None:
            matching = structs.replace(matching, write=_read("only", only, _read_only))
        return structs.replace(self, file=file, match=matching, keeps_empty=self.keeps_empty or keep_empty)


def _read(name: str, text: str, read: Callable[[str], Found]) -> Found:
    try:
        return read(text)
    except ValueError as reason:
        raise WrongOption(name, reason) from None


def read_encoding(name: str) -> str:
    """Take the name of a code page that Python knows, whatever its spelling."""
    if not _is_code_page(name):
        from encodings.aliases import aliases  # noqa: PLC0415 - only for a name that is wrong

        names = filter(_is_code_page, sorted({*aliases, *aliases.values()}))
        near = did_you_mean(name.lower().replace("-", "_"), list(names))
        raise ValueError(f"takes a code page, such as cp1250 or utf-8; {shown(name)} is none{near}")
    return name


def _is_code_page(name: str) -> bool:
    """Tell whether Python has a code page of this name, which base64 and rot13 are not."""
    try:
        # Not an empty text: Python doesn't look the code page up for it.
        b"a".decode(name)
    except UnicodeError:
        pass
    except (LookupError, ValueError):
        return False
    return True


def read_match_columns(names: Sequence[str]) -> tuple[str, ...]:
    """Take the columns by which rows are matched."""
    return tuple(dict.fromkeys(_read_match_column(name.strip()) for name in names))


def _read_match_column(name: str) -> str:
    if name in MATCHED or (name.startswith(EXTERNAL_IDS) and name != EXTERNAL_IDS):
        return name
    choices = f"{', '.join(MATCHED)} and {EXTERNAL_IDS}NAME"
    raise ValueError(f"takes {choices}; {shown(name)} is none of them{did_you_mean(name, MATCHED)}")


def _read_only(word: str) -> Write:
    for write in ("create", "update"):
        if word == write:
            return write
    raise ValueError(f"takes create or update, not {shown(word)}{did_you_mean(word, WRITES[1:])}")


def shown(text: object) -> str:
    """Write what a map or an option has, cut short, for a sentence about it."""
    return shortened(repr(text))
