"""Whether traces are wanted, as the variables of OpenTelemetry say, and whether they can be sent."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from urllib.parse import urlsplit

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the environment names an endpoint for traces, and does not turn them off."""
    is_off = (
        environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
        or environment.get("OTEL_TRACES_EXPORTER", "").lower() == "none"
    )
    return not is_off and any(environment.get(name) for name in ENDPOINTS)


def why_not(environment: Mapping[str, str] = os.environ) -> str | None:
    """Say what keeps traces from being sent that are wanted."""
    if not is_wanted(environment):
        return None
    named = next(name for name in ENDPOINTS if environment.get(name))
    # What is wrong is not shown: a URL may hold a password.
    if not _is_url(environment[named]):
        return f"{named} is no URL that begins with http:// or https://, such as http://127.0.0.1:4318."
    for name in PROTOCOLS:
        if environment.get(name, PROTOCOL) != PROTOCOL:
            return f"{name} is {environment[name]}, and traces are sent by {PROTOCOL} only."
    if not _is_installed():
        return (
            f"{named} is set, and what sends traces is not installed. Install tradebook[otel], or unset it."
        )
    return None


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        # Looked at, as it is read only then.
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_installed() -> bool:
    try:
        return bool(find_spec("opentelemetry.sdk") and find_spec("opentelemetry.exporter.otlp.proto.http"))
    except ModuleNotFoundError:
        return False
