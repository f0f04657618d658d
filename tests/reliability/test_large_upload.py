"""A file as large as may be comes to the disk, and a worker's memory stays as it was."""

from pathlib import Path

import pytest

from tests.fixtures.lengths import length
from tests.fixtures.uploads import IMPORTS, act
from tests.reliability.journal import workers_of

FILE_BYTES = length(32 << 20, 1 << 30)
GROWTH_BYTES_MAX = 12 << 20
PIECE = (b"1," + b"x" * 1021 + b"\n") * 256


def memory_of(process):
    """What a process has for itself; the book, which is mapped, is not counted."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:")))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_worker_holds_little_of_a_file_that_comes(book):
    workers, peak = workers_of(book.server.process.pid), []
    before = {worker: memory_of(worker) for worker in workers}

    def pieces():
        for _ in range(FILE_BYTES // len(PIECE)):
            peak.append(max(memory_of(worker) - before[worker] for worker in workers))
            yield PIECE

    headers = {"Content-Type": "text/csv", "Content-Length": str(FILE_BYTES)}
    answer = book.client.post(IMPORTS, content=pieces(), headers=headers, timeout=600)

    assert answer.status_code == 202, answer.text
    assert act(book.client, answer.headers["location"], "discard").status_code == 200
    assert max(peak) <= GROWTH_BYTES_MAX
