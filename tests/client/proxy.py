"""What stands between client and server: it passes on what is said, and does to the first requests what it is told."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit


class Seen(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Refuse(NamedTuple):
    """The server is not asked."""

    status: int
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


class Cut(NamedTuple):
    """The connection ends: before the server is asked, or in the middle of its answer."""

    is_asked: bool = True


class Say(NamedTuple):
    """The answer is another one."""

    change: Callable[[Any], Any]
    status: int | None = None


Fault = Refuse | Cut | Say | None


class Proxy:
    """Listens on a port of its own. `faults` are used up, a request each; then everything is passed on."""

    def __init__(self, url: str, faults: Iterable[Fault] = ()) -> None:
        self.seen: list[Seen] = []
        self._faults = iter(faults)
        self._target = urlsplit(url).netloc
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16

            def log_message(self, *_: object) -> None:
                pass

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                proxy.answer(self, Seen(self.command, self.path, dict(self.headers)), body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler, seen: Seen, body: bytes) -> None:
        """Answer a request, or don't."""
        self.seen.append(seen)
        fault = next(self._faults, None)
        if isinstance(fault, Refuse):
            self._say(handler, Answer(*fault))
            return
        if isinstance(fault, Cut) and not fault.is_asked:
            handler.close_connection = True
            return
        answer = self._ask(seen, body)
        if isinstance(fault, Say):
            told = fault.change(json.loads(answer.body or b"null"))
            body = told if isinstance(told, bytes) else json.dumps(told).encode()
            answer = Answer(fault.status or answer.status, answer.headers, body)
        self._say(handler, answer, is_cut=isinstance(fault, Cut))

    def _ask(self, seen: Seen, body: bytes) -> Answer:
        server = HTTPConnection(self._target, timeout=30)
        # What is to be changed, or cut in its middle, is read here.
        server.request(seen.method, seen.path, body or None, seen.headers | {"Accept-Encoding": "identity"})
        answer = server.getresponse()
        found = Answer(answer.status, dict(answer.getheaders()), answer.read())
        server.close()
        return found

    def _say(self, handler: BaseHTTPRequestHandler, answer: Answer, *, is_cut: bool = False) -> None:
        handler.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body[: len(answer.body) // 2] if is_cut else answer.body)
        handler.wfile.flush()
        if is_cut:
            handler.close_connection = True


def refusal(code: str, **more: Any) -> bytes:
    """Write the envelope of an error."""
    told = {"code": code, "type": "api_error", "message": "Not now.", "param": None}
    return json.dumps({"error": {**told, **more}}).encode()
