"""Builds the wheel, installs it with its locked dependencies into an empty environment, and runs it there.

What this finds: files that are not in the wheel, dependencies that are not declared, and whatever works only
in the folder of the sources.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PIP = (sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check")
DEADLINE_SECONDS = 30
LIST = "/v1/sales/customers?limit=3"


def main() -> None:
    """Do all of it, each step with the time it took."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tradebook-wheel-") as name:
        folder = Path(name)
        wheel, client = build(folder, ROOT), build(folder, ROOT / "client")
        print(f"{wheel.name} and {client.name} built: {time.monotonic() - started:.1f} s")
        command = install(folder, wheel)
        print(f"installed: {time.monotonic() - started:.1f} s")
        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        try_demo(command, elsewhere, client)
        print(f"demo: {time.monotonic() - started:.1f} s")
        try_serve(command, elsewhere)
        print(f"serve: {time.monotonic() - started:.1f} s")


def build(folder: Path, project: Path) -> Path:
    """Build from a copy, as a folder `build` of another day would be taken in."""
    source = folder / f"{project.name} source"
    shutil.copytree(
        project / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(project / file, source)
    wheels = folder / f"{project.name} wheel"
    subprocess.run(
        [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(source)],
        check=True,
    )
    (wheel,) = wheels.glob("*.whl")
    require_whole(wheel, project / "src")
    return wheel


def require_whole(wheel: Path, sources: Path) -> None:
    """Require every file of the package to be in the wheel, the migrations and `py.typed` among them."""
    files = (path.relative_to(sources) for path in sources.rglob("*") if path.is_file())
    own = (path for path in files if "__pycache__" not in path.parts and ".egg-info" not in path.parts[0])
    needed = set(map(str, own))
    missing = needed - set(zipfile.ZipFile(wheel).namelist())
    if missing:
        sys.exit(f"not in the wheel: {', '.join(sorted(missing))}")


def install(folder: Path, wheel: Path) -> Path:
    """Make an environment with the locked requirements and the wheel, and nothing else."""
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    into = (*PIP, "--python", str(environment / "bin" / "python"), "install")
    # Only what runs is compiled, when it is run.
    locked = ("--require-hashes", "-r", str(ROOT / "requirements.txt"))
    subprocess.run([*into, "--no-compile", *locked], check=True)
    subprocess.run([*into, "--no-compile", "--no-deps", str(wheel)], check=True)
    return environment / "bin" / "tradebook"


def try_demo(command: Path, folder: Path, client: Path) -> None:
    """Run `demo`, ask for a page with the key that it shows, walk the list, and press Ctrl-C."""
    port = free_port()
    with running(command, folder, "demo", "--port", str(port), "--customers", "200") as process:
        key = wait_for(lambda: word_behind("Key:", folder / "demo.out"), "the key of demo", process)
        page = wait_for(lambda: asked(port, LIST, key), "a page of demo", process)
        assert len(page["data"]) == 3
        try_client(client, folder, port, key)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(DEADLINE_SECONDS)
    assert "The demo book is removed." in (folder / "demo.out").read_text()


def try_client(wheel: Path, folder: Path, port: int, key: str) -> None:
    """Walk the demo book with the client, straight out of its wheel; httpx and msgspec are those of here."""
    program = "from tradebook_client import Tradebook; print(len(list(Tradebook().customers.list())))"
    own = {"TRADEBOOK_URL": f"http://127.0.0.1:{port}", "TRADEBOOK_API_KEY": key, "PYTHONPATH": str(wheel)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment_of(folder) | own,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "200\n", done.stdout


def try_serve(command: Path, folder: Path) -> None:
    """Make an account and a key, serve the book, ask for a page, and end the server as a system does."""
    account = printed(command, folder, "accounts", "create", "Acme")
    key = printed(command, folder, "keys", "create", "--account", account)
    port = free_port()
    with running(command, folder, "serve", "--port", str(port)) as process:
        page = wait_for(lambda: asked(port, LIST, key), "a page of serve", process)
        assert page["data"] == []
        process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE_SECONDS)
    assert process.returncode == 0, process.returncode
    printed(command, folder, "check")


@contextmanager
def running(command: Path, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a session of its own, as a terminal does; it has ended afterwards."""
    with (folder / f"{arguments[0]}.out").open("wb") as output:
        process = subprocess.Popen(
            [str(command), *arguments],
            cwd=folder,
            env=environment_of(folder),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def environment_of(folder: Path) -> dict[str, str]:
    """Return an environment without anything of this one: no PYTHONPATH, no settings."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TMPDIR": str(folder), "COLUMNS": "120"}


def printed(command: Path, folder: Path, *arguments: str) -> str:
    """Run a command to its end and return what it printed."""
    done = subprocess.run(
        [str(command), *arguments],
        cwd=folder,
        env=environment_of(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"tradebook {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return done.stdout.strip()


def word_behind(label: str, file: Path) -> str | None:
    """Find the word behind a label in the output of a command, if it is there yet."""
    lines = file.read_text(errors="replace").splitlines()
    return next((line.split()[1] for line in lines if line.startswith(label)), None)


def asked(port: int, path: str, key: str) -> Any:
    """GET a page; None as long as nobody listens."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)
    except OSError:
        return None


def wait_for(look: Callable[[], Any], what: str, process: subprocess.Popen[bytes]) -> Any:
    """Wait until something is there; end the check if it does not come."""
    end = time.monotonic() + DEADLINE_SECONDS
    while (found := look()) is None:
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"{what} did not come; the command {process.args} has ended with {process.returncode}")
        time.sleep(0.05)
    return found


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
