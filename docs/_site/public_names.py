"""Every public name: where its page is, and what a docstring or a type means by it."""

import functools
import importlib
import inspect
from typing import Any

PACKAGES = ("teacher_student", "ode", "ode.derive", "ode.protocols", "simulations", "figures", "figures.atlas")


@functools.cache
def public_names() -> dict[str, Any]:
    """Return "package.name" -> the object, of every name in `__all__` of the packages."""
    return {
        f"{package}.{name}": getattr(module, name)
        for package in PACKAGES
        for module in (importlib.import_module(package),)
        for name in module.__all__
    }


@functools.cache
def by_home() -> dict[str, str]:
    """Return "private.module.Name" -> the public name, for types as Python prints them."""
    homes: dict[str, str] = {}
    for public, member in public_names().items():
        if not inspect.ismodule(member) and hasattr(member, "__qualname__"):
            homes.setdefault(f"{member.__module__}.{member.__qualname__}", public)
    return homes


@functools.cache
def by_last_part() -> dict[str, str]:
    """Return "Name" -> the public name, of names that only one package has."""
    found: dict[str, list[str]] = {}
    for public in public_names():
        found.setdefault(public.rpartition(".")[2], []).append(public)
    return {last: names[0] for last, names in found.items() if len(names) == 1}


def resolve(word: str, package: str) -> str | None:
    """Return the public name, or the member of one, that `word` means in a docstring of `package`; None if none."""
    word = word.removesuffix("()")
    if word.startswith("ts."):
        word = "teacher_student." + word.removeprefix("ts.")
    names = public_names()
    for name in (word, f"{package}.{word}", by_last_part().get(word, "")):
        if name in names:
            return name
    owner, _, member = word.rpartition(".")
    public = resolve(owner, package) if owner else None
    cls = names.get(public or "")
    if inspect.isclass(cls) and member in vars(cls) and not member.startswith("_"):
        described = inspect.getattr_static(cls, member)
        # Fields have no entry of their own: the docstring of their class says what they are.
        if callable(described) or isinstance(described, (property, classmethod, staticmethod)):
            return f"{public}.{member}"
    return None
