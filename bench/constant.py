"""The server's floor: the same server and framework answering constant bytes, and nothing else."""

import os
from collections.abc import Callable
from pathlib import Path

import falcon

from tradebook.storage.upload_files import UploadFolder
from tradebook.web.auth import Caller
from tradebook.web.bodies import Bodies
from tradebook.web.connections import Connections
from tradebook.web.cors import Cors
from tradebook.web.rsgi import Threads, Worker
from tradebook.web.uploads import Uploads


class _Constant:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def on_get(self, _: falcon.Request, response: falcon.Response) -> None:
        response.data = self._body


class _Nobody:
    def caller_of(self, _header: str | None, _address: str) -> Caller:
        return Caller(0)

    def limit_headers(self, _caller: Caller) -> tuple[()]:
        return ()


def create_worker(
    port: int, connections_max: int, parent: int, on_listening: Callable[[], object] = lambda: None
) -> Worker:
    """One route, one answer."""
    app = falcon.App()
    app.add_route("/v1/sales/customers", _Constant(b"x" * int(os.environ["BENCH_BYTES"])))
    return Worker(
        app,
        Bodies(0, 1_000),
        Uploads(UploadFolder(Path()), bytes_max=0, text_bytes_max=0, seconds_max=1, of_account_max=0),
        _Nobody(),
        threads=Threads(reading=0, writing=1, agents=1),
        read_queue_seconds=0.1,
        write_queue_seconds=0.1,
        connections=Connections(
            port,
            per_address_max=connections_max,
            in_all_max=connections_max,
            send_seconds_max=30,
            unread_bytes_max=1 << 26,
        ),
        cors=Cors(""),
        send_seconds_max=30,
        parent=parent,
        on_listening=on_listening,
        close=lambda: None,
    )
