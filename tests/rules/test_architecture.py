"""docs/architecture.md is a map of every module and a glossary of words that the code really uses."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "src/tradebook"
PAGE = "docs/architecture.md"


def section(title):
    """Return one section of the page."""
    page = (ROOT / PAGE).read_text()
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def places():
    """List what the map must have: a heading for every room, a line for every module, migrations apart."""
    files = (
        path.relative_to(ROOT) for path in (ROOT / PACKAGE).rglob("*.py") if "versions" not in path.parts
    )
    return sorted(str(path.parent if path.name == "__init__.py" else path) for path in files)


def wrong_on_map(text, wanted):
    """Say what to do about every place that is not on the map exactly once."""
    found = Counter(re.findall(rf"^(?:- |### )\[[^]]+\]\(\.\./({PACKAGE}[^)]*)\)", text, re.MULTILINE))
    missing = [
        f"{PAGE}: add `### [ROOM/](../{place}): what belongs there` to the map"
        if not place.endswith(".py")
        else f"{PAGE}: add `- [{Path(place).stem}](../{place}): what it holds.` below its room"
        for place in wanted
        if place not in found
    ]
    return missing + [
        f"{PAGE}: {place} " + ("is on the map twice" if place in wanted else "is on the map and nowhere else")
        for place, count in found.items()
        if count > 1 or place not in wanted
    ]


def words_of(glossary):
    """List the words that a glossary explains."""
    return re.findall(r"^- \*\*([^*]+)\*\*:", glossary, re.MULTILINE)


def unused(words):
    """List the words that occur in no source file and no test, whatever their case and spelling as a name."""
    files = [*(ROOT / PACKAGE).rglob("*.py"), *(ROOT / "tests" / "fixtures").rglob("*.py")]
    code = "\n".join(path.read_text() for path in files)
    return [word for word in words if not re.search(word.replace(" ", "[ _]?"), code, re.IGNORECASE)]


def test_every_room_and_module_is_on_the_map_once():
    assert wrong_on_map(section("Map"), places()) == []


def test_what_the_map_lacks_has_twice_or_made_up_is_noticed():
    module = f"{PACKAGE}/storage/schema.py"
    line = f"- [schema](../{module}): tables.\n"

    assert wrong_on_map(line, [module]) == []
    assert wrong_on_map(f"It is in [schema](../{module}).", [module]) == [
        f"{PAGE}: add `- [schema](../{module}): what it holds.` below its room"
    ]
    assert wrong_on_map(line * 2, [module]) == [f"{PAGE}: {module} is on the map twice"]
    assert wrong_on_map(line, []) == [f"{PAGE}: {module} is on the map and nowhere else"]


def test_every_word_of_the_glossary_is_in_the_code():
    words = words_of(section("Glossary"))

    assert len(words) > 10
    assert unused(words) == []


def test_a_word_that_no_code_uses_is_noticed():
    assert unused(["path object", "flux capacitor"]) == ["flux capacitor"]
