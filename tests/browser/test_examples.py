"""Every example of the reference runs as it is printed, against a demo book, with the environment that it names."""

import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from tests.fixtures import plain_http
from tests.fixtures.browser import only_when_asked
from tests.fixtures.server import start_server, stop_server
from tradebook.cli.demo import make_book

pytestmark = only_when_asked
ROOT = Path(__file__).parents[2]
GLOBALS = "declare const process: { env: Record<string, string | undefined> };\n"
"""All that the examples take from where they run, besides what every browser has."""
STRICT = "--strict --noEmit --target es2022 --module es2022 --moduleDetection force --lib es2022,dom".split()
RUN_PYTHON = """
import json, sys, traceback
failed = {}
for place, code in json.load(open(sys.argv[1])).items():
    try:
        exec(compile(code, place, "exec"), {"__name__": "__main__"})
    except BaseException:
        failed[place] = traceback.format_exc()
print(json.dumps(failed), file=sys.stderr)
"""
RUN_NODE = """
import { readFileSync, writeFileSync } from "node:fs";
const failed = {};
for (const [place, code] of Object.entries(JSON.parse(readFileSync(process.argv[2], "utf8")))) {
  writeFileSync(`${place}.mjs`, code);
  try { await import(`${process.cwd()}/${place}.mjs`); } catch (error) { failed[place] = String(error.stack); }
}
console.error(JSON.stringify(failed));
"""


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """A demo book that is copied for each language, as the examples change and delete; its key."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADEBOOK_DATABASE", "")
        return folder / "demo.db", make_book(f"sqlite:///{folder / 'demo.db'}", 20)


@pytest.fixture
def place(demo, tmp_path):
    """A server on a book of its own, and the environment that the examples name."""
    book, key = demo
    shutil.copy(book, tmp_path / "demo.db")
    server = start_server(tmp_path, database=f"sqlite:///{tmp_path / 'demo.db'}")
    environment = {
        **os.environ,
        "TRADEBOOK_URL": server.url,
        "TRADEBOOK_API_KEY": key,
        "PYTHONPATH": str(ROOT / "client" / "src"),
    }
    yield server.url, environment
    stop_server(server)


def printed(url, language):
    """All examples in a language as the pages show them, in their order, by the route that they are of."""
    with plain_http.Client(base_url=url) as client:
        slugs = dict.fromkeys(re.findall(r'href="/docs/([\w-]+)', client.get("/docs").text))
        pages = [client.get(f"/docs/{slug}").text for slug in slugs]
    found = {}
    for section in (each for page in pages for each in re.split(r'<section class="row" id="', page)[1:]):
        for code in re.findall(f'<pre class="{language}"><code>(.*?)</code></pre>', section, re.DOTALL):
            found[section.partition('"')[0]] = unescape(re.sub(r"<[^>]+>", "", code))
    return found


def failures(command, examples, folder, environment):
    """Run the examples one after the other in one process; what fails, by its route."""
    (folder / "examples.json").write_text(json.dumps(examples))
    done = subprocess.run(
        [*command, "examples.json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return json.loads(done.stderr.splitlines()[-1]), done.stdout


def test_every_example_in_curl_runs(place, tmp_path):
    url, environment = place
    failed, told = {}, 0
    for route, code in printed(url, "curl").items():
        done = subprocess.run(
            ["bash", "-c", code],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        told += bool(done.stdout)
        if done.returncode:
            failed[route] = done.stdout + done.stderr

    assert failed == {}
    assert told > 50


def test_every_example_in_python_runs(place, tmp_path):
    url, environment = place

    failed, told = failures([sys.executable, "-c", RUN_PYTHON], printed(url, "python"), tmp_path, environment)

    assert failed == {}
    assert "Harbor" in told


def test_every_example_in_typescript_runs(place, tmp_path):
    if shutil.which("node") is None:
        pytest.skip("there is no node on this machine, and the TypeScript of the page runs in it")
    url, environment = place
    (tmp_path / "run.mjs").write_text(RUN_NODE)

    failed, told = failures(["node", "run.mjs"], printed(url, "typescript"), tmp_path, environment)

    assert failed == {}
    assert "Harbor" in told


def test_an_example_that_fails_is_noticed(tmp_path):
    (tmp_path / "run.mjs").write_text(RUN_NODE)
    runs = [([sys.executable, "-c", RUN_PYTHON], "import nothing_there")]
    runs += [(["node", "run.mjs"], "await fetch('nowhere')")] if shutil.which("node") else []

    for command, code in runs:
        failed, _ = failures(command, {"good": "1", "bad": code}, tmp_path, {**os.environ})
        assert [*failed] == ["bad"]


def compiled(folder, examples):
    """Compile examples strictly; what the compiler says."""
    tsc = ROOT / ".clients" / "node_modules" / ".bin" / "tsc"
    if not tsc.exists():
        pytest.skip("there is no TypeScript: make test-clients brings it")
    (folder / "globals.d.ts").write_text(GLOBALS)
    for route, code in examples.items():
        (folder / f"{route}.ts").write_text(code)
    names = sorted(path.name for path in folder.glob("*.ts"))
    done = subprocess.run([tsc, *STRICT, *names], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout


def test_every_example_in_typescript_is_typescript(pages_url, tmp_path):
    assert compiled(tmp_path, printed(pages_url, "typescript")) == ""


def test_what_is_no_typescript_is_noticed(tmp_path):
    assert "TS2322" in compiled(tmp_path, {"wrong": 'const x: number = "one";'})
