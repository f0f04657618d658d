"""What the client knows of the API is what the declarations say, and it knows nothing else of the server."""

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import tradebook_client
from tradebook.resources import ALL
from tradebook_client.lists import ListOf

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path):
    """The client, and what checks it."""
    for folder in ("client", "tools"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(folder, *command, path=""):
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{path}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_types_and_routes_are_those_of_the_server_and_others_are_noticed(copy):
    """Of the modules, that one is named alone."""
    module = copy / "client" / "src" / "tradebook_client" / "words.py"
    module.write_text(module.read_text().replace("customer", "kunde", 1))

    done = run(copy, "tools/client_types.py", "--check")

    assert done.returncode == 1
    assert done.stderr == "Not what the code says: words.py. Run `make docs`.\n"


def test_the_client_imports_nothing_of_the_server_and_an_import_is_noticed(copy):
    program = "from importlinter.cli import lint_imports; import sys; "
    program += "sys.exit(lint_imports(config_filename='client/pyproject.toml', no_cache=True))"
    source = str(copy / "client" / "src")
    done = run(copy, "-c", program, path=source)
    assert done.returncode == 0, done.stdout

    module = copy / "client" / "src" / "tradebook_client" / "errors.py"
    module.write_text(f"{module.read_text()}\nimport tradebook.ids\n")

    assert run(copy, "-c", program, path=source).returncode == 1


def test_it_is_imported_without_the_server():
    program = (
        "import sys, tradebook_client; print([m for m in sys.modules if m.split('.')[0] == 'tradebook'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "client" / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "[]\n", done.stderr


def test_every_resource_and_every_key_of_its_objects_is_there():
    for resource in ALL:
        shape = getattr(tradebook_client.objects, resource.shape.__name__)
        keys = [field.name for field in msgspec.structs.fields(shape)]
        assert keys == [field.name for field in msgspec.structs.fields(resource.shape)]
    assert len({resource.shape for resource in ALL}) > 8
    assert ListOf.__struct_fields__ == ("data",)
