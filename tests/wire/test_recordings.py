"""The published client libraries run unchanged: what they were recorded to send is answered as they can read it."""

import pytest

from tests.fixtures.application import application, client_of
from tests.wire.recordings import FOLDER, recording, shapes
from tests.wire.replaying import Replay

LIBRARIES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "shapes")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_runs_unchanged(book, library):
    with client_of(application(book.database, book.server.database), book.key) as client:
        faults = Replay(client, shapes(), recording(library)).faults()

    assert not faults, "\n".join(faults)
