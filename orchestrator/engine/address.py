"""Check the address of a Ray cluster before anything else is done; needs no Ray."""

import socket

from orchestrator.errors import UserError

HINT = "start one with `ray start --head`, or leave --address out to start one here"


def check_reachable(address: str) -> None:
    """Raise UserError at once for an address where nothing listens; Ray itself would try for a minute."""
    if address in ("auto", "local"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise UserError(f'--address: "{address}" is no HOST:PORT; give the address that `ray start --head` printed')
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"--address: no Ray cluster answers at {address} ({error}); {HINT}") from None
