"""Ctrl-C that is heeded at every stage, also where the exception that it raises is swallowed; SIGTERM and SIGHUP too.

A KeyboardInterrupt is lost where Python runs for a library that cannot pass it on (a callback, a finaliser): the
program then goes on as if nothing had been asked. So the handler also leaves a note, which is looked at between stages.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

# What else asks a program to end: `kill`, a batch system whose time is over, a terminal that closes. Windows has no
# SIGHUP.
LIKE_CTRL_C = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class _Asked:
    """Whether the program was asked to end since `heeding_ctrl_c` began, and by which signal."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signal = int(signal.SIGINT)

    def note(self, number: int) -> None:
        """Note a signal. The first one counts: it is why the program ends."""
        if not self.event.is_set():
            self.signal = int(number)
            self.event.set()

    def clear(self) -> None:
        """Forget what was asked."""
        self.event.clear()
        self.signal = int(signal.SIGINT)


_asked = _Asked()


class _Handler:
    """What SIGINT calls: notes that Ctrl-C was pressed, and does what was usual before.

    `simulations.run` puts a handler of its own in this one's place, which stops runs in order, without an exception;
    it calls `notice`, so that Ctrl-C in the last moment of a simulation, too late to cut it short, is not forgotten.
    """

    def __init__(self, usual: Any):
        self.usual = usual if callable(usual) else signal.default_int_handler

    def __call__(self, number: int, frame: Any) -> None:
        self.notice()
        self.usual(number, frame)

    def notice(self) -> None:
        """Note it, no more."""
        _asked.note(signal.SIGINT)


def _as_ctrl_c(number: int, frame: Any) -> None:
    """What SIGTERM and SIGHUP call: whatever Ctrl-C would do at this moment."""
    _asked.note(number)
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):  # Ctrl-C is ignored, as where a script starts a program in the background
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)


@contextlib.contextmanager
def heeding_ctrl_c() -> Iterator[None]:
    """Note every Ctrl-C inside, and let SIGTERM and SIGHUP do the same.

    A signal that is ignored stays so: whoever started us, such as nohup, wants it. Outside the main thread, where
    signals do not arrive, nothing changes.
    """
    _asked.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, *LIKE_CTRL_C)}
    # Not those of a program that embeds Python either (None), which Python could not put back.
    heeded = {number: handler for number, handler in usual.items() if handler not in (signal.SIG_IGN, None)}
    for number, handler in heeded.items():
        signal.signal(number, _Handler(handler) if number == signal.SIGINT else _as_ctrl_c)
    try:
        yield
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)
        _asked.clear()


def stop_if_asked() -> None:
    """Raise KeyboardInterrupt if Ctrl-C was pressed, or the like, since `heeding_ctrl_c` began."""
    if _asked.event.is_set():
        raise KeyboardInterrupt


def signal_asked() -> int:
    """Return the number of the signal that asked the program to end, SIGINT where none is known."""
    return _asked.signal
