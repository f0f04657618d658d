"""The options of an import, as a URL says them."""

import codecs
from typing import Any, get_args

from tradebook.crud.kinds import Flag, Kind, Unreadable, Word, did_you_mean
from tradebook.crud.parameters import Parameter, Text
from tradebook.resources.import_shapes import Only

MATCHED = ("number", "email", "phone")
EXTERNAL = "external_ids."
_NAMED = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-32",
    "cp1252",
    "cp1250",
    "cp1251",
    "latin-1",
    "mac-roman",
    "shift_jis",
)


class Encoding(Kind, frozen=True):
    """The name of an encoding of text."""

    def read(self, text: str) -> str:
        """Take a name that Python knows, however it is spelled."""
        try:
            found = codecs.lookup(text)
        except (LookupError, ValueError):
            found = None
        if found is None or not getattr(found, "_is_text_encoding", True):
            hint = did_you_mean(text, _NAMED)
            raise Unreadable(f"takes an encoding of text, such as utf-8 or cp1252{hint}")
        return found.name

    def schema(self) -> dict[str, Any]:
        """Describe a name."""
        return {"type": "string", "minLength": 1}

    def example(self) -> str:
        """Give one that files of today have."""
        return "utf-8"


class MatchBy(Kind, frozen=True):
    """Columns with commas between them: the first that a row has says which customer it is about."""

    def read(self, text: str) -> list[str]:
        """Read the columns."""
        columns = [part.strip() for part in text.split(",")]
        for column in columns:
            is_external = column.startswith(EXTERNAL) and len(column) > len(EXTERNAL)
            if column not in MATCHED and not is_external:
                hint = did_you_mean(column, MATCHED)
                raise Unreadable(f"takes {', '.join(MATCHED)} or {EXTERNAL}NAME, separated by commas{hint}")
        if len(set(columns)) < len(columns):
            raise Unreadable("takes each column once")
        return columns

    def schema(self) -> dict[str, Any]:
        """Describe text."""
        return {"type": "string", "minLength": 1}

    def example(self) -> str:
        """Give two."""
        return "number,email"


class Truth(Flag, frozen=True):
    """True or false in a URL."""

    def read(self, text: str) -> bool:
        """Read one of the two words."""
        if text not in {"true", "false"}:
            raise Unreadable("takes true or false")
        return text == "true"


OPTIONS = (
    Parameter("encoding", Encoding(), "How the file's text is encoded. Default: recognised, and told."),
    Parameter(
        "match",
        MatchBy(),
        "What says which customer a row is about: `number`, `email`, `phone`, `external_ids.NAME`; of "
        "several, separated by commas, the first that a row has. Default: what the map says, or `number`.",
    ),
    Parameter(
        "only",
        Word(get_args(Only)),
        "`create`: a customer that is there already is a problem; `update`: one that is not is. "
        "Default: both are good.",
    ),
    Parameter(
        "keep_empty",
        Truth(),
        "Whether an empty cell leaves what a customer has. Default: it clears that.",
        example=False,
    ),
    Parameter("sheet", Text(), "Which sheet of a workbook. Default: the first.", example="Customers"),
    Parameter(
        "map",
        Text(),
        "The name of a map that ships with Tradebook, such as `shopify`. A map of your own comes beside the "
        "file, as the part `map` of a form.",
        example="shopify",
    ),
)
REJECTS = Parameter(
    "rejects",
    Truth(),
    "Whether the good rows are applied where others have problems. Default: false.",
)
YES = Parameter(
    "yes",
    Truth(),
    "Whether it is applied in spite of the warnings that ask for it. Default: false.",
)
