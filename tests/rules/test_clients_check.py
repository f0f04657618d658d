"""`make test-clients` says what failed and what was skipped, and neither passes for good."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """The module of the tool, with a folder of its own."""
    spec = importlib.util.spec_from_file_location("clients_check", ROOT / "tools" / "clients_check.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    monkeypatch.setattr(made, "HERE", tmp_path)
    return made


class Kits:
    """Tools of which some are missing."""

    def __init__(self, **missing: str) -> None:
        self.missing = missing


def test_a_check_whose_command_fails_has_failed(tool, monkeypatch, tmp_path, capsys):
    def fails(_):
        tool.run(sys.executable, "-c", "raise SystemExit('it does not compile')", folder=tmp_path)

    monkeypatch.setitem(tool.CHECKS, "planted", (fails, ()))

    assert not tool.done("planted", Kits(), {})
    assert "planted: FAILED" in (said := capsys.readouterr().out)
    assert "it does not compile" in said


def test_a_check_whose_tool_is_missing_is_skipped_with_the_reason(tool, capsys):
    assert tool.done("generator-go", Kits(java="there is no Java"), {})
    assert capsys.readouterr().out == "generator-go: skipped, there is no Java\n"


def test_what_no_registry_answers_is_skipped_and_a_wrong_lock_is_not(tool):
    tool.HERE.mkdir(exist_ok=True)

    with pytest.raises(tool.Skipped):
        tool.fetched(sys.executable, "-c", "raise SystemExit('npm error code ENOTFOUND')")
    with pytest.raises(tool.Failed):
        tool.fetched(sys.executable, "-c", "raise SystemExit('THESE PACKAGES DO NOT MATCH THE HASHES')")


def test_no_lock_names_a_registry():
    lock = (ROOT / "tests" / "generators" / "package-lock.json").read_text()

    assert '"resolved"' not in lock
    assert "--hash=sha256:" in (python := (ROOT / "requirements-clients.txt").read_text())
    assert "://" not in python
