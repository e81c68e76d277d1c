"""The base of public PyTrees: equinox modules of which help() and Tab show what a user can use."""

import dataclasses
import inspect
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax

from ._equality import same_fields
from ._errors import InputError
from ._public_record import shown_names, shown_names_of
from ._shown_text import html_of, text_of


def _refuse_fields(cls: Any, options: dict[str, Any]) -> None:
    """Raise InputError for all fields of a class that is made from something else, as `dataclasses.replace` gives them.

    A curriculum, say, is made from its phases, and has their durations as one array.
    """
    fields = {field.name for field in dataclasses.fields(cls) if field.init}
    arguments = inspect.signature(cls.__init__).parameters
    if fields <= set(options) and not fields <= set(arguments):
        remedy = f"make another one, as help({cls.__name__}) says"
        raise InputError(
            f"what {cls.__name__} is made from, which is not its fields", sorted(options), remedy
        ) from None


if TYPE_CHECKING:  # checkers need not know: to them, and to an editor, it is an equinox module

    class PublicModule(eqx.Module):
        """An equinox module."""

else:

    class _Shown(type(eqx.Module)):
        """Equinox's class of classes, with a `dir`, from which help() is made, of public names only."""

        def __dir__(cls) -> list[str]:
            return shown_names(cls)

        def __call__(cls, *arguments: Any, **options: Any) -> Any:
            try:
                return super().__call__(*arguments, **options)
            except TypeError:
                _refuse_fields(cls, options)
                raise

    class PublicModule(eqx.Module, metaclass=_Shown):
        """Base of public PyTrees, of which help() and Tab show fields, methods and properties.

        Their text has the fields with their values, as that of `PublicRecord`.
        """

        _words = None
        _shown = None

        def __repr__(self) -> str:
            return text_of(self)

        def _repr_html_(self) -> str:
            return html_of(self)

        def __dir__(self) -> list[str]:
            return shown_names_of(self)

        def __eq__(self, other: object) -> Any:
            if type(other) is not type(self):
                return NotImplemented
            if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((self, other))):
                return super().__eq__(other)  # a traced bool: nobody knows yet
            return same_fields(self, other)

        # Python takes the hash from a class that defines ==. It is that of the fields: of arrays there is none.
        __hash__ = eqx.Module.__hash__
