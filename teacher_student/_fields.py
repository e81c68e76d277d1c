"""Copies of frozen modules with other fields."""

import dataclasses
from typing import Any, TypeVar

import equinox as eqx

Module = TypeVar("Module", bound=eqx.Module)


def with_fields(module: Module, **fields: Any) -> Module:
    """Return a copy of `module` with other values of some fields, static ones included, without its checks."""
    copy = object.__new__(type(module))
    for field in dataclasses.fields(module):
        object.__setattr__(copy, field.name, fields.get(field.name, getattr(module, field.name)))
    return copy
