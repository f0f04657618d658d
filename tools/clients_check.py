"""Generates clients from the served OpenAPI document, compiles each strictly, and uses it on a demo book.

`clients_check.py [NAME…]` does some of the checks, without a name all of them. What needs a tool that is not
on this machine is skipped, and the reason is printed. Everything that is made is in `.clients`.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "tests" / "generators"
HERE = ROOT / ".clients"
GENERATED = HERE / "generated"
DOCUMENT = HERE / "openapi.json"
BIN = HERE / "venv" / "bin"
PATH = f"{BIN}:{Path(sys.executable).parent}:{os.environ['PATH']}"
LOCK = ROOT / "requirements-clients.txt"
TOOLS_PAGE = ROOT / "docs" / "tools.md"
COLLECTION = ROOT / "docs" / "reference" / "postman_collection.json"
SILENT = {
    "FORCE_COLOR": "0",
    "DO_NOT_TRACK": "1",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "DLT_DATA_DIR": str(HERE / "dlt"),
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "npm_config_update_notifier": "false",
}
"""What keeps the tools from telling others that they were used, and from asking for newer ones."""

DEADLINE_SECONDS = 600
DEMO_CUSTOMERS = 60
NO_NETWORK = re.compile(
    "ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|NewConnectionError|Max retries|Name or service"
)


class Failed(Exception):
    """A command failed; the text is what it printed."""


class Skipped(Exception):
    """A check can't be done here; the text says why."""


def run(*command: str | Path, folder: Path | None = None, **variables: str) -> str:
    """Run a command to its end and return what it printed."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=HERE if folder is None else folder,
        env={**os.environ, **SILENT, "PATH": PATH, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}\n{(done.stdout + done.stderr)[-4_000:]}")
    return done.stdout


def node(name: str) -> Path:
    """Return a command that npm has installed."""
    return HERE / "node_modules" / ".bin" / name


class Kits:
    """The tools that the checks need, installed once; where that can't be, why."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        if shutil.which("java") is None:
            self.missing["java"] = "there is no Java"
        for kit, install in (("npm", self._install_npm), ("pip", self._install_pip)):
            try:
                install()
            except Skipped as reason:
                self.missing[kit] = str(reason)

    def _install_npm(self) -> None:
        if shutil.which("npm") is None:
            raise Skipped("there is no npm")
        lock = SOURCES / "package-lock.json"
        if is_new(HERE / "node_modules" / ".done", lock):
            return
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(SOURCES / name, HERE / name)
        fetched("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        (HERE / "node_modules" / ".done").touch()

    def _install_pip(self) -> None:
        if is_new(HERE / "venv" / ".done", LOCK):
            return
        run(sys.executable, "-m", "venv", "--clear", HERE / "venv")
        quiet = ("--quiet", "--disable-pip-version-check")
        fetched(BIN / "python", "-m", "pip", "install", *quiet, "--require-hashes", "-r", LOCK)
        (HERE / "venv" / ".done").touch()


def is_new(made: Path, lock: Path) -> bool:
    """Tell whether something was made after its lock."""
    return made.exists() and made.stat().st_mtime >= lock.stat().st_mtime


def fetched(*command: str | Path) -> None:
    """Install from a registry; Skipped where it can't be reached, as against where a lock is wrong."""
    try:
        run(*command)
    except Failed as failure:
        if NO_NETWORK.search(str(failure)):
            raise Skipped(f"{command[0]} reaches no registry") from None
        raise


def wait_for(url: str) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < until:
        with suppress(OSError):
            urllib.request.urlopen(f"{url}/readyz").close()
            return
        time.sleep(0.1)
    sys.exit(f"Nothing answers at {url}.")


@contextmanager
def demo_book() -> Iterator[dict[str, str]]:
    """Serve a demo book, and yield where it is and its key, as variables of the environment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "tradebook", "demo", "--port", url.rpartition(":")[2]]
    command += ["--customers", str(DEMO_CUSTOMERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            found: dict[str, str] = {}
            for line in server.stdout:
                name, _, rest = line.partition(":")
                found[name] = rest.strip()
                if name == "Learn":
                    break
            wait_for(url)
            yield {"TRADEBOOK_URL": url, "TRADEBOOK_API_KEY": found["Key"]}
        finally:
            server.terminate()


def typescript(name: str, variables: Mapping[str, str]) -> None:
    """Compile a program strictly, with the client that it uses, and run it."""
    config = HERE / "typescript" / f"tsconfig.{name}.json"
    config.write_text(f'{{"extends": "./tsconfig.json", "files": ["{name}.ts"]}}', encoding="utf-8")
    run(node("tsc"), "--project", config)
    made = HERE / "typescript" / f"{name}.mjs"
    run(
        node("esbuild"),
        f"typescript/{name}.ts",
        "--bundle",
        "--platform=node",
        "--format=esm",
        "--log-level=error",
        f"--outfile={made}",
    )
    run("node", made, folder=HERE, **variables)


def openapi_generator(language: str, target: Path, **properties: str) -> None:
    """Generate with OpenAPI Generator."""
    command: list[str | Path] = [BIN / "openapi-generator-cli", "generate", "-g", language]
    command += ["-i", DOCUMENT, "-o", target]
    if properties:
        given = ",".join(f"{name}={value}" for name, value in properties.items())
        command += ["--additional-properties", given]
    # It runs for seconds: what it would gain by compiling its own code better, it never gets back.
    run(*command, JAVA_OPTS="-XX:TieredStopAtLevel=1")


def file_types() -> set[str]:
    """Name the types of files that bodies may have, but JSON and forms."""
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    known = {"application/json", "multipart/form-data"}
    return {
        kind
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
        for kind in operation.get("requestBody", {}).get("content", {})
        if kind not in known
    }


def check_lint(_: Mapping[str, str]) -> None:
    """Let the linters find no error, and no warning either."""
    run(node("spectral"), "lint", "--fail-severity=warn", "--ruleset", SOURCES / "spectral.yaml", DOCUMENT)
    run(node("redocly"), "lint", "--config", SOURCES / "redocly.yaml", "--max-problems=5", DOCUMENT)


def check_openapi_python_client(variables: Mapping[str, str]) -> None:
    """Generate with openapi-python-client."""
    config = HERE / "openapi-python-client.yaml"
    # It knows no other types of files by itself than JSON and forms.
    overrides = [f"  {kind}: application/octet-stream" for kind in sorted(file_types())]
    lines = ["package_name_override: openapi_python_client_book", "content_type_overrides:", *overrides]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    target = GENERATED / "openapi_python_client_book"
    command: list[str | Path] = [BIN / "openapi-python-client", "generate", "--path", DOCUMENT]
    command += ["--config", config]
    run(*command, "--output-path", target, "--overwrite", "--meta", "none", "--fail-on-warning")
    python = {**variables, "PYTHONPATH": str(GENERATED), "MYPYPATH": str(GENERATED)}
    run(BIN / "mypy", "--strict", "python_client.py", folder=HERE / "python", **python)
    run(BIN / "python", "python_client.py", folder=HERE / "python", **python)


def check_generator_python(variables: Mapping[str, str]) -> None:
    """Generate with OpenAPI Generator for Python."""
    openapi_generator("python", GENERATED, packageName="generator_python_book")
    python = {**variables, "PYTHONPATH": str(GENERATED)}
    run(BIN / "python", "generator_python.py", folder=HERE / "python", **python)


def check_generator_typescript(variables: Mapping[str, str]) -> None:
    """Generate with OpenAPI Generator for TypeScript."""
    openapi_generator("typescript-fetch", GENERATED / "typescript-fetch")
    typescript("typescript-fetch", variables)


def check_generator_go(variables: Mapping[str, str]) -> None:
    """Generate with OpenAPI Generator for Go."""
    folder = HERE / "go"
    openapi_generator("go", folder / "book", packageName="book", withGoMod="false", enumClassPrefix="true")
    shutil.rmtree(folder / "book" / "test", ignore_errors=True)
    go = {"GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOCACHE": str(HERE / "go-cache")}
    run(BIN / "go", "vet", "./...", folder=folder, **go)
    run(BIN / "go", "run", ".", folder=folder, **go, **variables)


def check_hey_api(variables: Mapping[str, str]) -> None:
    """Generate with hey-api."""
    run(node("openapi-ts"), "-i", DOCUMENT, "-o", GENERATED / "hey-api", "-c", "@hey-api/client-fetch")
    typescript("hey-api", variables)


def check_openapi_typescript(variables: Mapping[str, str]) -> None:
    """Generate with openapi-typescript."""
    run(node("openapi-typescript"), DOCUMENT, "-o", GENERATED / "openapi-typescript" / "schema.d.ts")
    typescript("openapi-fetch", variables)


def check_orval_zod(variables: Mapping[str, str]) -> None:
    """Generate with orval for zod."""
    config = HERE / "orval.config.cjs"
    target = GENERATED / "orval" / "zod.ts"
    config.write_text(
        f'module.exports = {{ book: {{ input: "{DOCUMENT}", output: {{ client: "zod", mode: "single", '
        f'target: "{target}" }} }} }};\n',
        encoding="utf-8",
    )
    run(node("orval"), "--config", config)
    typescript("orval-zod", variables)


def check_postman(variables: Mapping[str, str]) -> None:
    """Run the collection as it is imported, with the address and the key of the book put in."""
    url, key = variables["TRADEBOOK_URL"], variables["TRADEBOOK_API_KEY"]
    run(node("newman"), "run", COLLECTION, "--env-var", f"baseUrl={url}", "--env-var", f"apiKey={key}")


def check_docs(variables: Mapping[str, str]) -> None:
    """Run the examples of docs/tools.md as they are printed, with the address and the key put in."""
    text = TOOLS_PAGE.read_text(encoding="utf-8")
    folder = HERE / "docs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    blocks = re.findall(r"^```(python|sh)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5, "the page has lost its examples"
    for place, (language, block) in enumerate(blocks):
        filled = block.replace("http://127.0.0.1:8000", variables["TRADEBOOK_URL"])
        filled = filled.replace("tb_sk_test_…", variables["TRADEBOOK_API_KEY"])
        file = folder / f"{place}.{language}"
        file.write_text(filled, encoding="utf-8")
        command = [BIN / "python", file] if language == "python" else ["bash", "-eu", "-o", "pipefail", file]
        run(
            *command,
            folder=folder,
            PATH=f"{BIN}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            **variables,
        )


Check = Callable[[Mapping[str, str]], None]
CHECKS: dict[str, tuple[Check, tuple[str, ...]]] = {
    "lint": (check_lint, ("npm",)),
    "generator-go": (check_generator_go, ("pip", "java")),
    "generator-python": (check_generator_python, ("pip", "java")),
    "generator-typescript": (check_generator_typescript, ("pip", "java", "npm")),
    "openapi-python-client": (check_openapi_python_client, ("pip",)),
    "hey-api": (check_hey_api, ("npm",)),
    "openapi-typescript": (check_openapi_typescript, ("npm",)),
    "orval-zod": (check_orval_zod, ("npm",)),
    "postman": (check_postman, ("npm",)),
    "docs": (check_docs, ("pip",)),
}
"""Every check with what it needs; those that take longest come first."""


def done(name: str, kits: Kits, variables: Mapping[str, str]) -> bool:
    """Do one check, and say how it went."""
    check, needs = CHECKS[name]
    lacking = [kits.missing[kit] for kit in needs if kit in kits.missing]
    if lacking:
        print(f"{name}: skipped, {' and '.join(lacking)}", flush=True)
        return True
    started = time.monotonic()
    try:
        check(variables)
    except Failed as failure:
        print(f"{name}: FAILED\n{failure}", flush=True)
        return False
    print(f"{name}: good, {time.monotonic() - started:.0f} s", flush=True)
    return True


def main() -> None:
    """Do the checks, two at a time."""
    started = time.monotonic()
    chosen = sys.argv[1:] or list(CHECKS)
    HERE.mkdir(exist_ok=True)
    for name in ("generated", "typescript", "python", "go"):
        shutil.rmtree(HERE / name, ignore_errors=True)
    for name in ("typescript", "python", "go"):
        shutil.copytree(SOURCES / name, HERE / name)
    GENERATED.mkdir()
    kits = Kits()
    print(f"tools: {time.monotonic() - started:.0f} s", flush=True)
    with demo_book() as variables, ThreadPoolExecutor(2) as pool:
        with urllib.request.urlopen(f"{variables['TRADEBOOK_URL']}/openapi.json") as answer:
            DOCUMENT.write_bytes(answer.read())
        results = list(pool.map(lambda name: done(name, kits, variables), chosen))
    print(f"{sum(results)} of {len(results)} good or skipped, {time.monotonic() - started:.0f} s")
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
