"""Ctrl-C that is heeded at every stage, also where the exception that it raises is swallowed.

A KeyboardInterrupt is lost where Python runs for a library that cannot pass it on (a callback, a finaliser): the
program then goes on as if nothing had been asked. So the handler also leaves a note, which is looked at between stages.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

_asked = threading.Event()


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
        _asked.set()


@contextlib.contextmanager
def heeding_ctrl_c() -> Iterator[None]:
    """Note every Ctrl-C inside. Outside the main thread, where signals do not arrive, nothing changes."""
    _asked.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.getsignal(signal.SIGINT)
    if usual == signal.SIG_IGN:  # whoever started us, such as nohup, wants it so
        yield
        return
    signal.signal(signal.SIGINT, _Handler(usual))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        _asked.clear()


def stop_if_asked() -> None:
    """Raise KeyboardInterrupt if Ctrl-C was pressed since `heeding_ctrl_c` began."""
    if _asked.is_set():
        raise KeyboardInterrupt
