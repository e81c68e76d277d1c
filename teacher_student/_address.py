"""Addresses of a user's own functions and classes, "module:name": how files, pickles and workers find them again."""

import sys
from collections.abc import Callable
from typing import Any

from ._errors import InputError, first_line
from ._trust import Unopened, harmless, import_module, result_being_read


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

    Of a result that is being read it returns an `Unopened` instead, unless the rule of `_trust` allows the address.

    Arguments: kind: what messages call it. made_for_files: whether an object may be used though its module is not
    trusted, because it is of a kind that is made to be read from files.
    """
    module, _, name = address.partition(":")
    reading = result_being_read()
    if reading is not None and not reading.trusts(module):
        thing = harmless(address, made_for_files)
        if thing is None:
            reading.unopened.append(address)
        return Unopened(address) if thing is None else thing
    required = f"an importable {kind} module:name"
    try:
        thing = _attribute(import_module(module), name)
    except Exception as error:  # the user's module may raise anything
        reason = f"{type(error).__name__}: {first_line(error)}"
        if isinstance(error, ModuleNotFoundError) and error.name == module:
            reason += f" (put the folder of {module}.py on PYTHONPATH)"
        raise InputError(required, repr(address), reason) from error
    if thing is None:
        raise InputError(required, repr(address), f"the module {module!r} has no {name!r}")
    return thing


def _attribute(module: Any, name: str) -> Any:
    """Return the attribute of a dotted name, or None where there is none."""
    for part in name.split("."):
        module = getattr(module, part, None)
    return module
