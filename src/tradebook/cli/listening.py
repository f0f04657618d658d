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


def require_free(host: str, port: int) -> None:
    """Refuse an address that another program has, or that is none of this machine's: PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise PortTaken(f"Can't listen on {host}:{port}: {reason}.") from None
