"""The documentation says what the code says: every setting, error, parameter, command; every link leads somewhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tradebook.crud.fields import Object
from tradebook.crud.list_requests import parameters_of
from tradebook.crud.resource import Action
from tradebook.demo.book import demo_customers
from tradebook.errors import CATALOGUE
from tradebook.resources import ALL
from tradebook.settings import Settings
from tradebook.transfer.columns import COLUMNS
from tradebook.transfer.maps.ready_maps import NAMES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "client" / "README.md"])
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def text_of(name):
    return (ROOT / "docs" / "reference" / name).read_text()


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(Settings)])
def test_every_setting_is_documented(field):
    assert f"`TRADEBOOK_{field.upper()}`" in text_of("settings.md")


@pytest.mark.parametrize("error", CATALOGUE, ids=lambda error: error.code)
def test_every_error_is_documented(error):
    assert f"\n## {error.code}\n" in text_of("errors.md")


def test_the_reference_calls_cursors_and_bodies_what_they_are():
    text = text_of("parameters.md")

    assert set(re.findall(r"\| `(.*)` \| a cursor \|", text)) == {"cursor"}
    assert text.split("\n## POST /v1/core/imports\n")[1].split("\n\n")[1].startswith("It takes a file")


def described():
    """Name and description of every parameter, of every field of a body, and of every column of a file."""
    for route in (route for resource in ALL for route in resource.routes):
        for parameter in parameters_of(route) if not isinstance(route, Action) else ():
            yield parameter.name, parameter.description
        for field in route.body.fields if isinstance(route, Action) else ():
            inner = field.kind.body.fields if isinstance(field.kind, Object) else ()
            yield from ((each.name, each.description) for each in (field, *inner))
    for name, column in COLUMNS.items():
        yield name, column.cell.description


def test_whatever_is_sent_is_described_in_sentences():
    strange = [
        (name, text) for name, text in described() if not re.fullmatch(r"[A-Z`].*[.]", text, re.DOTALL)
    ]

    assert strange == []
    assert len(set(described())) > 100


def test_the_reference_is_what_the_code_says_and_a_changed_page_is_noticed(tmp_path):
    """Of the pages, that one is named alone; what it has to say of each setting is looked at above."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    page = tmp_path / "docs" / "reference" / "settings.md"
    page.write_text(page.read_text().replace("limit", "size", 1))

    command = [sys.executable, "tools/reference.py", "--check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr == "Not what the code says: settings.md. Run `make docs`.\n"


def broken_links(page, text):
    """Name the relative links of a page that lead to no file."""
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    return [link for link in links if ":" not in link and not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    assert broken_links(page, page.read_text()) == []


def test_a_link_to_nothing_is_noticed():
    assert broken_links(ROOT / "README.md", "[a](docs/none.md#x) [b](docs) [c](https://example.com)") == [
        "docs/none.md"
    ]


def vague_defaults(text):
    """List where a text says "unless told", over a line break too: a default is written as "Default: X."."""
    return re.findall(r"unless\s+told", text, re.IGNORECASE)


@pytest.mark.parametrize("path", [*PAGES, *SOURCES], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_default_is_called_one(path):
    assert vague_defaults(path.read_text()) == [], f'{path}: write "Default: X."'


def test_a_default_that_is_not_called_one_is_noticed():
    assert vague_defaults("It is `normal`\n  unless told. Unless told otherwise, it waits.") != []
    assert vague_defaults("Default: `normal`. Nobody was told.") == []


def test_every_map_that_ships_is_in_the_docs_and_has_its_test():
    page = (ROOT / "docs" / "import.md").read_text()
    tested = {file.stem for file in (ROOT / "tests" / "transfer" / "ready").glob("*.ndjson")}

    shipped = {file.stem for file in (ROOT / "src/tradebook/transfer/maps/ready").glob("*.toml")}

    assert shipped == set(NAMES) == tested
    assert [name for name in NAMES if f"| `{name}` | " not in page] == []


def test_what_the_quickstart_searches_for_is_in_the_book_that_it_makes():
    page = (ROOT / "docs" / "quickstart.md").read_text()
    rows = [" ".join(map(str, row.values())).lower() for row in demo_customers(1_000)]

    searches = re.findall(r'\$(?:LIST|ADDRESSES)\?q=([^"&]+)', page)
    assert len(searches) == 2
    for search in searches:
        assert [row for row in rows if all(word in row for word in search.split("+"))], search
