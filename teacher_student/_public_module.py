"""The base of public PyTrees: equinox modules of which help() and Tab show what a user can use."""

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax

from ._equality import same_fields
from ._public_record import shown_names, shown_names_of
from ._shown_text import html_of, text_of

if TYPE_CHECKING:  # checkers need not know: to them, and to an editor, it is an equinox module

    class PublicModule(eqx.Module):
        """An equinox module."""

else:

    class _Shown(type(eqx.Module)):
        """Equinox's class of classes, with a `dir`, from which help() is made, of public names only."""

        def __dir__(cls) -> list[str]:
            return shown_names(cls)

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
