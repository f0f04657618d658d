"""What holds for every route, told once: for the introduction of the reference, and for llms.txt."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_SECTION = re.compile(r"^## (.+)\n\n", re.MULTILINE)
_SAMPLE = re.compile(r"\n```json\n(.*?)\n```", re.DOTALL)


class Part(NamedTuple):
    """One section."""

    anchor: str
    title: str
    whole: str
    """Its text as it is written."""
    text: str
    """The same without its sample."""
    sample: str | None
    """What stands beside it, as JSON."""


def parts_of(text: str) -> Iterator[Part]:
    """Read the sections of a guide."""
    _, *found = _SECTION.split(text)
    for title, each in zip(found[::2], found[1::2], strict=True):
        whole = each.strip()
        sample = _SAMPLE.search(whole)
        anchor = title.lower().replace(" ", "-")
        yield Part(anchor, title, whole, _SAMPLE.sub("", whole), sample and sample[1])
