"""Traces for OpenTelemetry: a span for each request, and one inside it for each look into the book.

They are sent where the environment names an endpoint for them, by the SDK that comes with the extra `otel`.
A span says which route was asked and what came of it. It never holds a path, a query, a key or a name.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

import falcon

import tradebook
from tradebook.storage.database import Database, Reader, Writer
from tradebook.web.endpoints import is_wanted, why_not
from tradebook.web.metrics import OTHER, route_of

CLOSING_SECONDS_MAX = 1.0
"""How long the last spans may take to be sent, when the server stops."""

_FAULTS_FROM = 500


def make_tracing() -> "Tracing | None":
    """Make what writes the spans of a worker; None where no traces are wanted."""
    return Tracing() if is_wanted() and why_not() is None else None


class Tracing:
    """Writes the spans of one process. What it needs is loaded here, by those alone who want it."""

    def __init__(self) -> None:
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        os.environ.setdefault("OTEL_SERVICE_NAME", "tradebook")
        self._trace = trace
        self._extract = TraceContextTextMapPropagator().extract
        self._provider = TracerProvider(
            resource=Resource.create({"service.version": tradebook.__version__}), shutdown_on_exit=False
        )
        # In a thread of its own, which drops spans where they can't be sent as fast as they come.
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("tradebook", tradebook.__version__)
        self._current = threading.local()

    def begin(self, request: falcon.Request) -> None:
        """Begin the span of a request, or go on with it in the thread of its second call."""
        context = request.context
        if getattr(context, "span", None) is None:
            sent = {
                name: value
                for name in ("traceparent", "tracestate")
                if (value := request.env.get(f"HTTP_{name.upper()}"))
            }
            context.span = self._tracer.start_span(
                "request", self._extract(sent) if sent else None, kind=self._trace.SpanKind.SERVER
            )
        self._current.span = context.span

    def end(self, request: falcon.Request, response: falcon.Response) -> None:
        """End the span of a request that is answered."""
        span, self._current.span = request.context.span, None
        status, template = response.status_code, request.uri_template
        route = route_of(template) if template else OTHER
        method = request.method if request.method in _METHODS else "_OTHER"
        span.update_name(f"{method} {route}")
        span.set_attributes(
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "tradebook.request_id": request.context.request_id,
            }
        )
        if status >= _FAULTS_FROM:
            span.set_attribute("error.type", str(status))
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Write a span inside that of the request that this thread answers."""
        parent = getattr(self._current, "span", None)
        if parent is None:
            yield
            return
        span = self._tracer.start_span(name, self._trace.set_span_in_context(parent))
        try:
            yield
        finally:
            span.end()

    def of(self, database: Database) -> Database:
        """Return a database whose snapshots and transactions have spans."""
        return cast("Database", _Traced(self, database))

    def close(self) -> None:
        """Send what is left, as far as there is time."""
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(CLOSING_SECONDS_MAX)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


class _Traced:
    """A database that is the same in everything else."""

    def __init__(self, tracing: Tracing, database: Database) -> None:
        self._tracing = tracing
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def read(self, account_id: int) -> AbstractContextManager[Reader]:
        return self._within("database read", self._database.read(account_id))

    def write(self, account_id: int) -> AbstractContextManager[Writer]:
        return self._within("database write", self._database.write(account_id))

    @contextmanager
    def _within(self, name: str, opened: AbstractContextManager[Any]) -> Iterator[Any]:
        with self._tracing.part(name), opened as handle:
            yield handle
