"""What a result may use of the modules that it names: a file of somebody else runs nothing.

The rule, which stands here alone. Problem files and tables that a user gives are the user's own: what they name is
imported. A result (`Trajectory.load`) may come from anybody. Of an address "module:name" in it, this is used:

  1. whatever a module has that the user names, `trust=("module",)`, or everything with `trust=True`;
  2. an Activation, or a class of tasks, that an already imported module holds: these are made to be read from files;
  3. a function that has been a unit in this process, since the user called it one;
  4. JAX's own elementwise functions, such as "jax.numpy:tanh", which do nothing but compute.

Anything else is neither imported nor called, also where its module is imported: "os:system" is a function too. An
`Unopened` stands in its place. It can be kept and written again, and says what to do where it would be computed with.
"""

import contextlib
import contextvars
import dataclasses
import importlib
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from ._errors import InputError, nearest

Trust = bool | str | Iterable[str]

# In these JAX keeps elementwise mathematics and nothing else, so that all functions that they declare are harmless.
MATHEMATICS = ("jax.nn", "jax.scipy.special", "jax._src.nn.functions", "jax._src.scipy.special")
# These also read and write files (`jax.numpy.load`). What JAX compiles of them can only compute.
MIXED = ("jax.numpy", "jax.lax")


@dataclasses.dataclass(frozen=True)
class Shape:
    """What the arrays of a result say of its task: names of blocks and levels, and the number of latent directions."""

    blocks: tuple[str, ...]
    levels: tuple[str, ...]
    latents: int


@dataclasses.dataclass(frozen=True)
class Reading:
    """A result that is being read: whom the user trusts, what the arrays say, and what was left unopened so far."""

    everything: bool
    modules: tuple[str, ...]
    shape: Shape
    unopened: list[str] = dataclasses.field(default_factory=list)

    def trusts(self, module: str) -> bool:
        """Return whether the user allows a module, by its name or by that of a package around it."""
        return self.everything or any(module == name or module.startswith(f"{name}.") for name in self.modules)

    def misspelt(self) -> list[tuple[str, str]]:
        """Return the trusted names that are near that of a module which was left unopened, each with what to write."""
        modules = [address.partition(":")[0] for address in self.unopened]
        remedies = [(name, nearest(name, modules)) for name in self.modules]
        return [(name, remedy) for name, remedy in remedies if remedy.startswith("did you mean")]


@dataclasses.dataclass(frozen=True)
class Unopened:
    """What stands in the place of a function or a class that a result names and that was not imported."""

    address: str

    def __call__(self, *_: Any) -> NoReturn:
        """Raise InputError, which says how to have the function itself."""
        raise InputError(
            "units and tasks that are trusted, to compute with them",
            f"{self.address!r} of a result, which is not trusted",
            how_to_trust([self.address]),
        )


_READING: contextvars.ContextVar[Reading | None] = contextvars.ContextVar("reading", default=None)
_UNITS: dict[int, "weakref.ref[Any]"] = {}  # functions that have been units in this process, by their id


def how_to_trust(addresses: Iterable[str]) -> str:
    """Return what a user does to have the modules of some addresses imported."""
    modules = tuple(dict.fromkeys(address.partition(":")[0] for address in addresses))
    options = " ".join(f"--trust {module}" for module in modules)
    return f"if it is yours or you have read it, load it with trust={modules!r} ({options} on the command line)"


@contextlib.contextmanager
def reading_result(trust: Trust, shape: Shape) -> Iterator[Reading]:
    """Read addresses of a result inside: by the rule of this file. Raises InputError for a wrong `trust`."""
    modules = (trust,) if isinstance(trust, str) else () if isinstance(trust, bool) else tuple(trust)
    for name in modules:
        if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
            raise InputError('trust as True, or names of modules such as ("my_module",)', repr(name))
    reading = Reading(trust is True, modules, shape)
    token = _READING.set(reading)
    try:
        yield reading
    finally:
        _READING.reset(token)


def result_being_read() -> Reading | None:
    """Return the result that is being read, or None where tables are the user's own."""
    return _READING.get()


def import_module(module: str) -> Any:
    """Import a module that the user has named. What it names itself while it is imported is its own affair."""
    token = _READING.set(None)
    try:
        return importlib.import_module(module)
    finally:
        _READING.reset(token)


def remember_unit(function: Callable[..., Any]) -> None:
    """Remember that the user has made a unit of a function. A result may name it from now on."""
    key = id(function)

    def forget(_: "weakref.ref[Any]") -> None:
        _UNITS.pop(key, None)

    with contextlib.suppress(TypeError):  # what takes no weak reference is not remembered
        _UNITS[key] = weakref.ref(function, forget)


def harmless(address: str, made_for_files: Callable[[Any], bool]) -> Any:
    """Return what an address of a result names if it may be used without trust, else None.

    Nothing is imported but JAX's own modules, and nothing is asked of the object but its type.
    """
    module, _, name = address.partition(":")
    if module in (*MATHEMATICS, *MIXED):
        importlib.import_module(module)
    thing = _held_by(sys.modules.get(module), name)
    known = _UNITS.get(id(thing))
    if thing is None or (known is not None and known() is thing):
        return thing
    return thing if made_for_files(thing) or _is_mathematics(module, name, thing) else None


def _held_by(module: Any, name: str) -> Any:
    """Return the attribute of a dotted name, or None where there is none.

    It is looked for in dictionaries alone: `getattr` would run a module's or a class's own `__getattr__`, which may
    import anything.
    """
    if not issubclass(type(module), types.ModuleType):
        return None
    head, *rest = name.split(".")
    thing = object.__getattribute__(module, "__dict__").get(head)
    for part in rest:
        thing = type.__getattribute__(thing, "__dict__").get(part) if issubclass(type(thing), type) else None
    return thing


def _is_mathematics(module: str, name: str, thing: Any) -> bool:
    """Return whether JAX offers a function by this name and only computes in it."""
    if module not in (*MATHEMATICS, *MIXED) or name.startswith("_"):
        return False
    import jax

    if isinstance(thing, (type(jax.jit(abs)), jax.custom_jvp)):
        return True
    return module in MATHEMATICS and isinstance(thing, types.FunctionType) and thing.__module__ in MATHEMATICS
