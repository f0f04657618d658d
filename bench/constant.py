"""The server's floor: the same server and framework answering constant bytes, and nothing else."""

import os

import falcon


class _Constant:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def on_get(self, _: falcon.Request, response: falcon.Response) -> None:
        response.data = self._body


def create_app() -> falcon.App:
    """One route, one answer."""
    app = falcon.App()
    app.add_route("/v1/sales/customers", _Constant(b"x" * int(os.environ["BENCH_BYTES"])))
    return app
