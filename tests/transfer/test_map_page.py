"""The examples of "The map, word by word" in docs/import.md read what is printed below them."""

import json
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "import.md").read_text()
SECTION = PAGE.partition("\n## The map, word by word\n")[2].partition("\n## ")[0]
_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def examples():
    """Yield each map of the section, the file below it, the files beside it, and what is read."""
    blocks = [match.groups() for match in _BLOCK.finditer(SECTION)]
    places = [place for place, (language, _, _) in enumerate(blocks) if language == "toml"]
    for place, following in zip(places, [*places[1:], len(blocks)], strict=True):
        below = blocks[place + 1 : following]
        content = next(
            ((language, text) for language, title, text in below if not title and language != "json"), None
        )
        beside = {title: text for _, title, text in below if title}
        read = [
            json.loads(line)
            for language, _, text in below
            if language == "json"
            for line in text.splitlines()
        ]
        yield blocks[place][2], content, beside, read


EXAMPLES = list(examples())


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_reads_what_is_printed_below_it(rows, example):
    map_text, content, beside, read = example
    form, text = content or ("csv", "Id,Email,Phone\n1,a@x.example,2\n")

    found = rows(map_text, text, form, files=beside)

    assert [row.problems for row in found if row.problems] == []
    assert [row.values for row in found if row.skipped is None] == read or content is None


def test_each_word_has_an_example():
    maps = "\n".join(map_text for map_text, _, _, _ in EXAMPLES)
    words = set(re.findall(r"`([a-z_]+)`(?:, `[a-z_]+`)* \| ", SECTION)) | set(
        re.findall(r"\*\*`([a-z]+)`", SECTION)
    )

    without = {"encoding", "sheet", "unguard", "optional", "empty"}
    assert {word for word in words - without if not re.search(rf"\b{word}\b", maps)} == set()
    assert len(EXAMPLES) > 15
