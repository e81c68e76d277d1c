"""Strict reading of tables (TOML, JSON) into dataclasses: unknown keys and wrong types are errors in one line."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import cattrs
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError

from .._errors import InputError, about_entry, nearest
from ._line_of import dotted

T = TypeVar("T")
FORMERLY = "formerly"  # in the metadata of a field: the key that it had in files of earlier versions


def read_table(cls: type[T], table: Any, where: str) -> T:
    """Return `table` as a `cls` (a dataclass).

    Raises InputError that names `where` ("" is the top level) and the nearest key.
    """
    names = tuple(where.split(".")) if where else ()
    if not isinstance(table, Mapping):
        with about_entry(*names):
            raise InputError(f"a table [{where}]", repr(table))
    try:
        return _CONVERTER.structure(table, cls)
    except ClassValidationError as error:
        cause, entry = _first_cause(error, names)
    with about_entry(*entry):
        raise cause


def _first_cause(error: BaseException, where: tuple[str, ...]) -> tuple[InputError, tuple[str, ...]]:
    """Return the first of an error's causes, and the entry that is wrong.

    Arguments: where: names of tables in each other, and of a key; () is the top level.
    """
    if isinstance(error, ForbiddenExtraKeysError):
        key = sorted(error.extra_fields, key=str)[0]  # of tables from Python, which may have numbers too
        known = {field.name: field.metadata.get(FORMERLY) for field in dataclasses.fields(error.cl)}
        now = [name for name, formerly in known.items() if formerly == key]
        remedy = f"it is called {now[0]!r} now" if now else nearest(key, known)
        return InputError(f"known keys {_in_table(where)}", repr(key), remedy), (*where, str(key))
    if isinstance(error, KeyError):
        missing = (*where, str(error.args[0]))
        return InputError(f"the key {error.args[0]!r} {_in_table(where)}", "none", "add it"), missing
    if isinstance(error, ExceptionGroup):
        misspelt = [cause for cause in error.exceptions if isinstance(cause, ForbiddenExtraKeysError)]
        first = (misspelt or error.exceptions)[0]  # a misspelt key also shows as a missing one
        if isinstance(first, (KeyError, ForbiddenExtraKeysError)):
            return _first_cause(first, where)
        return _first_cause(first, (*where, *_names_in(first)))
    if isinstance(error, InputError):
        return error, where
    return InputError(f"a valid value of {dotted(where)}", str(error)), where


def _names_in(error: BaseException) -> list[str]:
    """Return the names that cattrs has noted of where an error was: fields of tables, and keys of others."""
    notes = getattr(error, "__notes__", [])
    names = [getattr(note, "name", None) or getattr(note, "index", None) for note in notes]
    return [name for name in names if isinstance(name, str)]


def _in_table(where: tuple[str, ...]) -> str:
    return f"in [{dotted(where)}]" if where else "at the top level"


def _exact(kinds: tuple[type, ...], description: str) -> Any:
    def structure(value: Any, _: Any) -> Any:
        if isinstance(value, bool) != (kinds == (bool,)) or not isinstance(value, kinds):
            raise ValueError(f"{value!r} is not {description}")
        return kinds[0](value)

    return structure


def _any_of(value: Any, union: Any) -> Any:
    """Return the value of a union of plain types as it is, if it has one of them (numbers inside lists included)."""
    for kind in typing.get_args(union):
        if kind is type(None):
            if value is None:
                return None
            continue
        if isinstance(kind, type) and dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
            return _CONVERTER.structure(value, kind)  # its own error says which key is wrong
        if _is_of_tables(kind) and isinstance(value, Mapping):
            return _CONVERTER.structure(value, kind)
        try:
            return _CONVERTER.structure(value, kind)
        except Exception:  # the next kind may fit; if none does, the error below says so
            continue
    kinds = [_NAMES.get(str(kind), str(kind)) for kind in typing.get_args(union) if kind is not type(None)]
    raise ValueError(f"{value!r} is not {' or '.join(kinds)}")


def _is_of_tables(kind: Any) -> bool:
    """Return whether a kind is dict[str, table], of tables that a dataclass describes."""
    arguments = typing.get_args(kind)
    return typing.get_origin(kind) is dict and dataclasses.is_dataclass(arguments[1])


def _is_list(kind: Any) -> bool:
    origin: Any = typing.get_origin(kind)
    return origin is list


def _list(value: Any, kind: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{value!r} is not a list")
    (kind_of_item,) = typing.get_args(kind)
    return [_CONVERTER.structure(item, kind_of_item) for item in value]


_NAMES = {
    "<class 'str'>": "a string",
    "<class 'bool'>": "true or false",
    "<class 'float'>": "a number",
    "<class 'int'>": "an integer",
    "list[float]": "a list of numbers",
    "dict[str, list[float]]": "a table of lists of numbers",
    "dict[str, float | list[float]]": "a table of numbers or lists",
    "<class 'teacher_student.tables._schedule_table.ScheduleTable'>": "a schedule",
    "list[str]": "a list of strings",
    "dict[str, float]": "a table of numbers",
    "dict[str, dict[str, float]]": "a table of tables of numbers",
    "list[list[list[float]]]": "a list with one matrix per block, [[[...]], ...]",
}

_CONVERTER = cattrs.Converter(forbid_extra_keys=True)
_CONVERTER.register_structure_hook(float, _exact((float, int), "a number"))
_CONVERTER.register_structure_hook(int, _exact((int,), "an integer"))
_CONVERTER.register_structure_hook(str, _exact((str,), "a string"))
_CONVERTER.register_structure_hook(bool, _exact((bool,), "true or false"))
_CONVERTER.register_structure_hook_func(_is_list, _list)
_CONVERTER.register_structure_hook_func(lambda kind: isinstance(kind, types.UnionType), _any_of)
