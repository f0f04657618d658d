"""What a terminal shows of a long command; in a pipe, nothing."""

import pytest

from tradebook.cli.progress import rows_read, rows_written


@pytest.fixture
def terminal(monkeypatch):
    """Have standard error be taken for a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")


def test_an_import_shows_rows_their_rate_and_the_time_left(terminal, tmp_path, capsys):
    (tmp_path / "list.csv").write_bytes(b"x" * 100)

    with (tmp_path / "list.csv").open("rb") as stream, rows_read(stream) as progress:
        stream.read(50)
        progress(1_234)
    with rows_written() as written:
        written(300, 1_000)
    told = capsys.readouterr().err

    for shown in ("Read", "1,234 rows", "a second", "Written", "300 rows", "left"):
        assert shown in told


def test_a_pipe_shows_nothing(tmp_path, capsys):
    (tmp_path / "list.csv").write_bytes(b"x")

    with (tmp_path / "list.csv").open("rb") as stream, rows_read(stream) as progress:
        assert progress is None

    assert capsys.readouterr().err == ""
