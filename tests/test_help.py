"""help() and Tab show what a user can use of a public class: fields, methods and properties, each with a sentence."""

import dataclasses
import enum
import inspect
import pydoc
import re
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import pytest

import figures
import ode
import simulations
import teacher_student as ts
from ode import derive
from teacher_student.internal import PublicModule, PublicRecord

OPERATORS = {"__add__", "__call__", "__getitem__"}
MACHINERY = ("__abstract", "__annotations__", "__dataclass", "__init__", "__match_args__", "inherited from equinox")


def classes() -> Iterator[tuple[str, type]]:
    """Give the public classes of all packages, but for exceptions and enumerations, whose help is Python's own."""
    for package in (ts, ode, derive, simulations, figures, figures.atlas):
        for name in package.__all__:
            member = getattr(package, name)
            if inspect.isclass(member) and not issubclass(member, (BaseException, enum.Enum)):
                yield f"{package.__name__}.{name}", member


# Its base is an equinox module still.
CLASSES = dict(classes())


def machinery(cls: type) -> list[str]:
    """Return what `dir` and help() of a class show that no user can use."""
    shown = [name for name in dir(cls) if name.startswith("_") and name not in OPERATORS]
    text = pydoc.plain(pydoc.render_doc(cls))
    return shown + [word for word in MACHINERY if word in text]


@pytest.mark.parametrize("name", CLASSES)
def test_help_and_tab_show_nothing_of_the_machinery(name: str) -> None:
    assert machinery(CLASSES[name]) == []


def test_machinery_is_noticed() -> None:
    @dataclasses.dataclass(frozen=True)
    class Record:
        number: int

    class Module(eqx.Module):
        number: int

    assert "__dataclass_fields__" in machinery(Record)
    assert {"__abstractmethods__", "inherited from equinox"} <= set(machinery(Module))


@pytest.mark.parametrize("name", CLASSES)
def test_methods_properties_and_operators_say_what_they_are_in_a_sentence(name: str) -> None:
    cls = CLASSES[name]
    assert sentence(cls), name
    for member in dir(cls):
        found = inspect.getattr_static(cls, member)
        if callable(found) or isinstance(found, (property, staticmethod, classmethod)):
            # What a Mapping has by itself is Python's.
            home = next(base for base in cls.__mro__ if member in vars(base))
            assert home.__module__ == "collections.abc" or sentence(getattr(cls, member)), f"{name}.{member}"


def callables() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Give the public functions and classes of all packages, and the methods that the classes define or inherit."""
    for package in (ts, ode, derive, simulations, figures, figures.atlas):
        for name in package.__all__:
            member = getattr(package, name)
            if inspect.isfunction(inspect.unwrap(member)):
                yield f"{package.__name__}.{name}", member
    for name, cls in CLASSES.items():
        yield name, cls
        for member in dir(cls):
            if member not in OPERATORS and inspect.isroutine(method := getattr(cls, member)):
                home = next(base for base in cls.__mro__ if member in vars(base))
                if home.__module__ != "collections.abc":
                    yield f"{name}.{member}", method


CALLABLES = dict(callables())


@pytest.mark.parametrize("name", sorted(CALLABLES.keys() - {"simulations.sgd_step"}))  # whose equations have all of it
def test_help_names_every_argument(name: str) -> None:
    assert unnamed_arguments(CALLABLES[name]) == []


def unnamed_arguments(function: Callable[..., Any]) -> list[str]:
    """Return the parameters that the docstring of a function or class does not name."""
    words = set(re.findall(r"\w+", inspect.getdoc(function) or ""))
    return [name for name in inspect.signature(function).parameters if name != "self" and name not in words]


def test_an_argument_that_help_does_not_name_is_noticed() -> None:
    def function(first: int, second: int) -> int:
        """Return the first."""
        return first + second

    assert unnamed_arguments(function) == ["second"]


def sentence(described: object) -> bool:
    """Say whether a docstring, which may be that of the base, starts with a paragraph that is a sentence."""
    first = (inspect.getdoc(described) or "").partition("\n\n")[0].strip()
    return len(first) > 10 and first.endswith((".", ":"))


INSTANCES: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "student": (lambda: ts.Student(3), ["activation", "output", "width"]),
    "state": (lambda: ts.Overlaps([[1.0]], [[0.1]], [[1.0]]), ["Q", "R", "T", "gram", "prune", "readout"]),
    "sampled averages": (
        ode.Sampled,
        ["draw", "error", "key", "most_points", "name", "points", "precision", "products_only", "replicates"],
    ),
    "law": (
        lambda: figures.atlas.PowerLaw(1.0, 0.9, 1.1, 3.0, 4, 0.5),
        ["chi2", "exponent", "fits", "freedom", "high", "low", "words"],
    ),
}


@pytest.mark.parametrize("name", INSTANCES)
def test_tab_shows_fields_methods_and_properties(name: str) -> None:
    make, expected = INSTANCES[name]
    assert dir(make()) == expected


def test_a_task_of_ones_own_is_shown_like_the_built_in_ones() -> None:
    class Mine(ts.Committee):
        """A committee of one's own."""

        def doubled(self) -> int:
            """Return twice the width."""
            return 2 * self.latents

    assert set(dir(Mine)) == {*dir(ts.Committee), "doubled"}


def test_public_classes_are_still_what_they_were() -> None:
    """Fields, equality and identity as of any equinox module or frozen dataclass."""
    for cls in CLASSES.values():
        assert dataclasses.is_dataclass(cls)
        assert issubclass(cls, (PublicModule, PublicRecord))
        assert issubclass(cls, PublicModule) == issubclass(cls, eqx.Module)
    # Tests see the method inside the check of its arrays' types.
    method = inspect.unwrap(ts.Student.output)
    assert inspect.getsourcefile(ts.Student) == inspect.getsourcefile(method)
