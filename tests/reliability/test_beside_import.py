"""Beside an import others go on: their requests and commands wait for a step at most, and none fails."""

import pytest

from bench.beside_import import beside
from tests.fixtures.engines import ENGINES
from tests.fixtures.lengths import IS_SOAK, length

CUSTOMERS = length(300, 100_000)
LONGEST_SECONDS = length(2.0, 0.5)
"""In a short run other tests have the machine too."""


@pytest.mark.parametrize("engine", length(["sqlite"], ENGINES), indirect=True)
def test_nobody_waits_long_beside_an_import_and_nobody_fails(tmp_path, engine, figures, monkeypatch):
    if not IS_SOAK:
        monkeypatch.setenv("TRADEBOOK_WRITE_QUEUE_MS", "5000")
    waits, _ = beside(tmp_path, engine.new(tmp_path), CUSTOMERS, with_commands=IS_SOAK)

    failed = [failure for each in waits.values() for failure in each.failures]
    alone = {name: max(each.seconds) for name, each in waits.items() if "its start" not in name}
    longest = {name: round(value, 3) for name, value in alone.items()}
    figures(CUSTOMERS, sum(len(each.seconds) for each in waits.values()), len(failed), longest=longest)
    for name, each in waits.items():
        print(f"{name}: {each}")
    assert failed == []
    assert max(longest.values()) < LONGEST_SECONDS
    assert all(each.seconds for each in waits.values())
