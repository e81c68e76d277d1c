"""Addresses of a user's own functions and classes, "module:name": how files, pickles and workers find them again."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ._errors import InputError, first_line, one_line
from ._trust import Unopened, harmless, import_module, result_being_read

LONGEST = 120  # characters of an address or a reason in a message


def address_of(thing: Any) -> str | None:
    """Return "module:name" if importing that gives this very thing in another process, else None.

    A lambda that has a name in its module has an address too. A function defined inside another one and whatever
    stands in a script (`__main__`) have none.
    """
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", getattr(thing, "__name__", None))
    if not module or not name or module == "__main__":
        return None
    if _attribute(sys.modules.get(module), name) is thing:
        return f"{module}:{name}"
    return address_in(module, thing)


def address_in(module: str | None, thing: Any) -> str | None:
    """Return "module:name" if the module has this very thing, or an equal one of its type, under a name of its own."""
    if not module or module == "__main__":
        return None
    for name, value in vars(sys.modules[module]).items() if module in sys.modules else ():
        if value is thing or (type(value) is type(thing) and bool(value == thing)):
            return f"{module}:{name}"
    return None


def imported(address: str, kind: str, made_for_files: Callable[[Any], bool] = lambda thing: False) -> Any:
    """Return what "module:name" means. Raises InputError, also for whatever importing the module raises.

    A module that exits, as a script without a guard does, ends nothing: only Ctrl-C does.
    Of a result that is being read it returns an `Unopened` instead, unless the rule of `_trust` allows the address.

    Arguments: kind: what messages call it. made_for_files: whether an object may be used though its module is not
    trusted, because it is of a kind that is made to be read from files.
    """
    reading = result_being_read()
    if reading is not None and not reading.trusts(address.partition(":")[0]):
        thing = harmless(address, made_for_files)
        if thing is None:
            reading.unopened.append(address)
        return Unopened(address) if thing is None else thing
    module, name = _parts(address, kind)
    required, got = f"an importable {kind} module:name", _shown(address)
    with _noting_ctrl_c() as pressed:
        try:
            thing = _attribute(import_module(module), name)
        except BaseException as error:  # the user's module may raise anything
            if pressed.is_set():
                raise
            reason = f"{type(error).__name__}: {one_line(first_line(error), LONGEST)}"
            if isinstance(error, ModuleNotFoundError) and error.name == module:
                reason += f" (put the folder of {one_line(module, LONGEST)}.py on PYTHONPATH)"
            elif not isinstance(error, Exception):
                reason += ", raised by the module: it is to define things, and no more"
            raise InputError(required, got, reason) from error
    if thing is None:
        raise InputError(required, got, f"the module {one_line(module, LONGEST)!r} has no {one_line(name, LONGEST)!r}")
    return thing


def _parts(address: str, kind: str) -> tuple[str, str]:
    """Return the module and the name of an address. Raises InputError for a text of any other form."""
    module, colon, name = address.partition(":")
    names = [*module.split("."), *name.split(".")]
    if not colon or ":" in name or not all(names) or any(c.isspace() or not c.isprintable() for c in address):
        raise InputError(f"the address of {kind} as module:name", _shown(address), 'such as "my_module:my_name"')
    return module, name


def _shown(address: str) -> str:
    return repr(one_line(address, LONGEST))


@contextlib.contextmanager
def _noting_ctrl_c() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C sets: a KeyboardInterrupt of the user's does not come from the code that runs.

    Outside the main thread, where signals do not arrive, it is never set.
    """
    pressed = threading.Event()
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield pressed
        return

    def handler(number: int, frame: Any) -> None:
        pressed.set()
        usual(number, frame)

    signal.signal(signal.SIGINT, handler)
    try:
        yield pressed
    finally:
        if signal.getsignal(signal.SIGINT) is handler:  # the module may have put one of its own there
            signal.signal(signal.SIGINT, usual)


def _attribute(module: Any, name: str) -> Any:
    """Return the attribute of a dotted name, or None where there is none."""
    for part in name.split("."):
        module = getattr(module, part, None)
    return module
