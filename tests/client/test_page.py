"""The programs of docs/client.md do what they are printed for, in their order; its words are those of the client."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tradebook_client
from tests.client.proxy import Proxy
from tests.fixtures.lengths import IS_SOAK
from tradebook_client import Tradebook

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "client.md").read_text()
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_programs_of_the_page_run_as_printed(book, tmp_path, monkeypatch, capsys):
    book.add(
        {"number": "11000", "name": "Acme One", "type": "Retail", "price_groups": ["Gold"]},
        {"number": "11001", "name": "Acme Two", "type": "Retail", "status": "preferred"},
    )
    book.add({"number": "11002", "name": "Acme Child", "type": "Retail", "parent_number": "11000"})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "customers.csv").write_text("No,Firm\n11000,Acme One\n")
    (tmp_path / "map.toml").write_text('[columns]\nnumber = "No"\nname = "Firm"\n')
    with Proxy(book.server.url) as proxy:
        monkeypatch.setenv("TRADEBOOK_URL", proxy.url)
        monkeypatch.setenv("TRADEBOOK_API_KEY", book.key)
        program = "\n".join(PROGRAMS).replace("http://127.0.0.1:8000", proxy.url)
        exec(compile(program.replace("tb_sk_test_…", book.key), "docs/client.md", "exec"), {})

    printed = capsys.readouterr().out
    for expected in ("11000 Acme One\n", "Acme Two ['", "'Gold'", "Acme Child\n", "customers\n", "404 "):
        assert expected.replace("Acme Two ['", "Acme Two []") in printed
    assert len((tmp_path / "customers.ndjson").read_text().splitlines()) == 2
    assert {each.method for each in proxy.seen} == {"GET", "POST", "PATCH", "PUT", "DELETE"}


def test_every_error_is_on_the_page():
    kinds = [
        name
        for name in tradebook_client.__all__
        if isinstance(getattr(tradebook_client, name), type)
        and issubclass(getattr(tradebook_client, name), Exception)
    ]

    assert len(kinds) > 10
    assert [name for name in kinds if f"`{name}`" not in PAGE] == []


def test_every_resource_and_every_method_is_on_the_page():
    with Tradebook("http://book.example", "key") as book:
        resources = {name: made for name, made in vars(book).items() if not name.startswith("_")}
    methods = {name for made in resources.values() for name, _ in inspect.getmembers(made, inspect.ismethod)}

    assert len(resources) > 10
    assert [name for name in {*resources, *methods} - {"__init__"} if f"`{name}`" not in PAGE] == []


def mypy(folder, program):
    (folder / "program.py").write_text(program)
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / "cache"), "program.py"],
        cwd=folder,
        env={"MYPYPATH": str(ROOT / "client" / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.mark.skipif(not IS_SOAK, reason="ten seconds of mypy; `make check` looks at the package itself")
def test_the_programs_are_clean_under_mypy_strict_and_a_wrong_word_is_noticed(tmp_path):
    program = "\n".join(PROGRAMS)
    assert "Success" in mypy(tmp_path, program)

    assert "status_code" in mypy(tmp_path, program.replace("status_codes=", "status_code="))
    assert "no attribute" in mypy(tmp_path, program.replace("customer.number", "customer.nr"))
    assert "Missing" in mypy(tmp_path, program.replace("    default_carrier_id=carrier.id,\n", ""))
    assert "Literal" in mypy(tmp_path, program.replace('["normal"]', '["normall"]'))
