"""The page's server: marimo's own, for this machine alone."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import importlib.util
import os
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import teacher_student as ts

HOST = "127.0.0.1"  # the page of nobody else: other machines do not reach it
PAGE = Path(__file__).parent / "page.py"


def require_marimo() -> None:
    """Raise InputError unless what serves the page is installed."""
    for name in ("marimo", "uvicorn"):
        if importlib.util.find_spec(name) is None:
            remedy = "pip install '.[explore]' in the checkout"
            raise ts.InputError("marimo, which serves the page", f"no module {name!r}", remedy)


def listening(port: int | None) -> socket.socket:
    """Return a socket that listens on this machine alone: at `port`, or at a free one. Raises InputError."""
    if port is not None and not 0 < port < 2**16:
        raise ts.InputError("--port between 1 and 65535", port)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a port is taken for a minute after its use
    try:
        listener.bind((HOST, port or 0))
    except OSError as error:
        listener.close()
        raise ts.InputError("a --port that is free", f"{port} ({error.strerror})", "leave it out") from None
    listener.listen()
    return listener


def serve(listener: socket.socket, *, browser: bool, say: Callable[[str], None]) -> None:
    """Serve the page until a signal ends it; its address is said.

    The address has a token in it, so that other users of the machine, who can reach its loopback too, see nothing.
    Arguments: browser: whether to open one.
    """
    token = secrets.token_urlsafe(16)
    address = f"http://{HOST}:{listener.getsockname()[1]}/?access_token={token}"
    server = _server(token)
    say(f"explore     {address}")
    say("            Ctrl-C ends it")
    if browser:  # in a thread, as some browsers return when they are closed
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    server.run(sockets=[listener])


def _server(token: str) -> Any:
    import marimo
    import uvicorn
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    os.environ["MARIMO_SKIP_UPDATE_CHECK"] = "1"  # it asks nobody whether there is a newer one
    pages = marimo.create_asgi_app(quiet=True, token=token, include_code=False).with_app(path="", root=str(PAGE))
    # A web page elsewhere whose name somebody lets point to this machine must not be taken for ours.
    app = TrustedHostMiddleware(pages.build(), allowed_hosts=[HOST, "localhost"])
    return uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
