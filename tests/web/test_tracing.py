"""Traces: a span for each request and its looks into the book, sent where an endpoint is named, and without secrets."""

import os
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.fixtures.book import filled
from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite
from tests.fixtures.lengths import length
from tests.fixtures.server import free_port, serving, stop_server, wait_until
from tradebook.cli.output import FAILED
from tradebook.web.endpoints import is_wanted, why_not

LIST, GROUPS = "/v1/sales/customers", "/v1/sales/account-groups"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Receiver:
    """What takes traces in."""

    def __init__(self):
        self.bodies = []
        taken = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                taken.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def spans(self):
        """All spans so far, and the resources that they are of."""
        for _, body in list(self.bodies):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    yield from ((span, attributes_of(resource.resource)) for span in scope.spans)

    def named(self, name):
        return [span for span, _ in self.spans() if span.name == name]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def attributes_of(thing):
    return {
        each.key: each.value.string_value or each.value.int_value or each.value.bool_value
        for each in thing.attributes
    }


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def book(tmp_path_factory, receiver):
    """A book on a server that sends its traces to the receiver, and waits for no other writer."""
    with pytest.MonkeyPatch.context() as place:
        place.setenv("TRADEBOOK_DATABASE_TIMEOUT_MS", "100")
        with served(tmp_path_factory.mktemp("traced"), place, receiver.url) as made:
            yield made


@contextmanager
def served(folder, monkeypatch, url):
    """A book on a server that sends its traces there."""
    monkeypatch.setenv(ENDPOINT, url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with serving(folder, database=Sqlite().new(folder)) as server, filled(server) as book:
        yield book


def test_each_request_has_a_span_with_its_route_and_the_looks_into_the_book(book, receiver):
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "mine-1"}
    read = book.client.get(LIST, params={"q": "Zoe"}, headers=headers)
    written = book.client.post(GROUPS, json={"name": "Golden", "type": "type_group"})
    book.add({"name": "Zoe"})
    customer = book.get()["data"][0]["id"]
    missing = book.client.get(f"{LIST}/ac_0000000000007")
    book.client.get(f"{LIST}/{customer}")
    book.client.get(f"/nothing/{book.key}")
    wait_until(lambda: receiver.named("GET other"), "the last span")

    assert (read.status_code, written.status_code, missing.status_code) == (200, 201, 404)
    (span, *_) = receiver.named(f"GET {LIST}")
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert attributes_of(span) == {
        "http.request.method": "GET",
        "http.route": LIST,
        "http.response.status_code": 200,
        "tradebook.request_id": "mine-1",
    }
    inside = [each for each in receiver.named("database read") if each.parent_span_id == span.span_id]
    assert inside
    (change,) = receiver.named(f"POST {GROUPS}")
    assert [each.parent_span_id for each in receiver.named("database write")] == [change.span_id]
    statuses = {attributes_of(s)["http.response.status_code"] for s in receiver.named(f"GET {LIST}/{{id}}")}
    assert statuses == {200, 404}
    assert {resource["service.name"] for _, resource in receiver.spans()} == {"tradebook"}
    assert {path for path, _ in receiver.bodies} == {"/v1/traces"}
    sent = b"".join(body for _, body in receiver.bodies)
    for secret in (book.key, customer, book.account, "Zoe", "Golden", "/nothing"):
        assert secret.encode() not in sent, secret


def test_a_fault_is_marked(book, receiver):
    with book.database.write(book.account_key) as writer:
        assert writer.revision
        answer = book.client.post("/v1/sales/addresses", json={"name": "A", "country": "DE"})
    wait_until(lambda: receiver.named("POST /v1/sales/addresses"), "the span")

    assert answer.status_code == 503
    (span,) = receiver.named("POST /v1/sales/addresses")
    assert attributes_of(span)["error.type"] == "503"
    assert span.status.code == span.status.STATUS_CODE_ERROR


@pytest.mark.parametrize("kind", length(["silent"], ["silent", "gone"]))
def test_a_receiver_that_is_away_costs_requests_nothing_and_the_stop_little(tmp_path, monkeypatch, kind):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1] if kind == "silent" else free_port()
        with served(tmp_path, monkeypatch, f"http://127.0.0.1:{port}") as book:
            for _ in range(20):
                assert book.client.get(LIST).status_code == 200
            book.client.close()
            began = time.monotonic()
            stop_server(book.server)
            seconds = time.monotonic() - began

    assert book.server.process.returncode == 0
    assert seconds < 6


def test_without_the_extra_the_start_says_what_to_install(tmp_path, monkeypatch):
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / "sitecustomize.py").write_text("import sys\nsys.modules['opentelemetry'] = None\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(planted), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:4318")
    command = CommandLine(tmp_path, Sqlite().new(tmp_path))

    done = command.run_as_process("serve", "--port", str(free_port()))

    assert done.returncode == FAILED
    assert done.stderr == (
        f"Error: {ENDPOINT} is set, and what sends traces is not installed. Install tradebook[otel], or unset it.\n"
    )


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({ENDPOINT: ""}, False),
        ({ENDPOINT: "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector/v1/traces"}, True),
        ({ENDPOINT: "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({ENDPOINT: "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_traces_are_wanted_where_an_endpoint_is_named(environment, wanted):
    assert is_wanted(environment) is wanted
    assert why_not(environment) is None


@pytest.mark.parametrize(
    "text", ["127.0.0.1:4318", "collector", "grpc://collector", "http://", "http://a:99999", "http://[::1"]
)
def test_an_endpoint_that_is_no_url_is_told_without_what_it_holds(text):
    assert why_not({ENDPOINT: text}) == (
        f"{ENDPOINT} is no URL that begins with http:// or https://, such as http://127.0.0.1:4318."
    )


def test_another_protocol_is_refused():
    environment = {ENDPOINT: "http://collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}

    assert "http/protobuf" in why_not(environment)
