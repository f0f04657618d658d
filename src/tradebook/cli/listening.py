"""Whether an address can be listened on, found out before anything else is done about it."""

import socket


class PortTaken(OSError):
    """The address can't be listened on."""


PORTS = range(1, 65_536)


def address_of(text: str) -> tuple[str, int]:
    """Read HOST:PORT, or a port of this machine alone; ValueError if it is neither."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) in PORTS):
        raise ValueError(f"{text!r} is no address: write HOST:PORT, such as 127.0.0.1:9464.")
    return host.strip("[]") or "127.0.0.1", int(port)


def require_free(host: str, port: int) -> str:
    """Return the number of an address, which is all that the HTTP server takes of it.

    PortTaken where another program has the port, or where it is no address of this machine.
    """
    try:
        # Who writes `localhost` asks at 127.0.0.1, whatever else has this name.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, *_, (number, *_) = min(found, key=lambda each: each[0] != socket.AF_INET)
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((number, port))
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no name of a host"
        raise PortTaken(f"Can't listen on {url_host(host)}:{port}: {reason}.") from None
    return str(number)


def url_host(host: str) -> str:
    """Write a host as a URL has it: the colons of an IPv6 address stand in brackets."""
    return f"[{host}]" if ":" in host else host
