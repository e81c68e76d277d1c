"""Work in threads that Ctrl-C ends in order: what is finished is kept, what is in flight stops at its next check."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextlib.contextmanager
def stop_on_ctrl_c() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C sets, in place of a KeyboardInterrupt at an arbitrary point (inside a lock, say).

    A second Ctrl-C acts as usual. The usual handler's `notice`, where it has one, is called at the first, for whoever
    started us. Outside the main thread, where signals do not arrive, nothing changes.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    usual = signal.getsignal(signal.SIGINT)

    # A KeyboardInterrupt could be raised anywhere, also inside a lock, which nobody would then open again.
    def handler(number: int, frame: object) -> None:
        stop.set()
        getattr(usual, "notice", lambda: None)()
        # Back to the usual handler at once: where a compiled call hangs, a second Ctrl-C must still end the program.
        signal.signal(signal.SIGINT, usual)

    signal.signal(signal.SIGINT, handler)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, usual)


def in_threads(
    work: Callable[[Item], Result | None], items: Iterable[Item], workers: int, stop: threading.Event
) -> Iterator[tuple[Item, Result]]:
    """Give each item with its result, as they finish; `work` returns None where it heeded `stop`.

    Few items are in flight at a time, however many there are.
    """
    waiting = iter(items)
    flying: dict[Future[Result | None], Item] = {}
    with ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                # One item waits behind each that is worked on, so that no thread is idle while results are taken.
                while len(flying) < 2 * workers and not stop.is_set():
                    try:
                        item = next(waiting)
                    except StopIteration:
                        break
                    flying[pool.submit(work, item)] = item
                if not flying:
                    return
                for future in wait(flying, return_when=FIRST_COMPLETED).done:
                    item, result = flying.pop(future), future.result()
                    if result is not None:
                        yield item, result
        except BaseException:
            stop.set()  # the pool waits for what is in flight, which would go on to its end
            raise
