"""What help() and Tab show of a public class: what a user can use, and nothing of the machinery below it."""

import abc
import dataclasses
from typing import Any, ClassVar

from ._equality import same_fields
from ._shown_text import html_of, text_of

OPERATORS = ("__add__", "__call__", "__getitem__")  # said by an expression, not by a name


def shown_names(cls: type) -> list[str]:
    """Return the names of methods, properties and constants of `cls`, and the operators that it understands."""
    return sorted(name for name in type.__dir__(cls) if not name.startswith("_") or name in OPERATORS)


def shown_names_of(instance: Any) -> list[str]:
    """Return the names of `instance`: its fields too, which its class has only where they have a default."""
    return sorted({*shown_names(type(instance)), *(field.name for field in dataclasses.fields(instance))})


class _Shown(abc.ABCMeta):  # not of `type`: a record may be a Mapping too
    """The class of classes whose `dir`, from which help() is made, has public names only."""

    def __dir__(cls) -> list[str]:
        return shown_names(cls)


def _equal(self: Any, other: object) -> Any:
    return same_fields(self, other) if type(other) is type(self) else NotImplemented


class PublicRecord(metaclass=_Shown):
    """Base of public dataclasses, of which help() and Tab show fields, methods and properties.

    Their text has the fields with their values (`_shown_text.py`).
    """

    _words: ClassVar[Any] = None
    _shown: ClassVar[Any] = None

    def __repr__(self) -> str:
        return text_of(self)

    def _repr_html_(self) -> str:
        return html_of(self)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # In the class itself: dataclasses would else put there an == that is ambiguous where a field is an array, and a
        # text with all its numbers.
        for name, own in (("__eq__", _equal), ("__repr__", cls.__repr__)):
            if name not in vars(cls):
                setattr(cls, name, own)

    def __dir__(self) -> list[str]:
        return shown_names_of(self)
