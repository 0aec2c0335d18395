"""The token that a Ray cluster may ask for: found out, used without the user's doing, and left as it was afterwards.

Ray 2.59 gives each cluster that it starts by itself a token in ``~/.ray``, and where there is one `ray start` protects
its clusters with it. A driver that names such a cluster must say so in ``RAY_AUTH_MODE``; where it does so to an open
cluster, every worker dies.
"""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orchestrator.deadline import NoAnswer, within
from orchestrator.engine.address import HINT
from orchestrator.errors import UserError

MODE = "RAY_AUTH_MODE"


ANSWER_SECONDS = 60.0
"""How long a cluster may take to say whether it asks for a token; the next step of Ray's would wait for minutes."""


@contextmanager
def authenticated(address: str | None) -> Iterator[None]:
    """Meet the cluster at `address` as it asks for; UserError when it asks for a token and there is none.

    UserError, too, where something listens there that never answers. What the user said in ``RAY_AUTH_MODE`` stands.
    Ray itself sets that for a cluster that it starts here.
    """
    before = os.environ.get(MODE)
    try:
        if address is not None and _asks_for_token(address) and before is None:
            _use_token(address)
        yield
    finally:
        if before is None and os.environ.pop(MODE, None) is not None:
            _read_mode()


def _asks_for_token(address: str) -> bool:
    from ray import exceptions

    if not hasattr(exceptions, "AuthenticationError") or "://" in address or ":" not in address:
        return False
    try:
        with _silence():
            within(ANSWER_SECONDS, lambda: _raylet().GcsClient(address=address))
    except exceptions.AuthenticationError:
        return True
    except Exception as error:
        if isinstance(error, NoAnswer) or "Timed out" in str(error):
            raise UserError(
                f"--address: what listens at {address} does not answer as a Ray cluster does, or is too busy to: "
                f"give the address that `ray start --head` printed; {HINT}"
            ) from None
        return False  # what else is wrong with the cluster is told by whoever connects to it
    return False


def _use_token(address: str) -> None:
    loader = _raylet().AuthenticationTokenLoader.instance()
    if not loader.has_token(ignore_auth_mode=True):
        raise UserError(
            f"--address: the Ray cluster at {address} asks for a token: copy ~/.ray/auth_token from the host that "
            "started it, or set RAY_AUTH_TOKEN to what `ray get-auth-token` prints there"
        )
    os.environ[MODE] = "token"
    _read_mode()


def _read_mode() -> None:
    """Let Ray, which has read its settings and the token once, read them again."""
    _raylet().Config.initialize("")
    _raylet().AuthenticationTokenLoader.instance().reset_cache()


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what Ray's C++ part says of a refusal, which is expected, from the terminal."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _raylet() -> Any:
    return importlib.import_module("ray._raylet")  # the public modules answer none of these questions
