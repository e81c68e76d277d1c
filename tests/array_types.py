"""The types of arrays are checked while the tests run: `Float[Array, "B K M"]` has three axes, named consistently.

Other annotations are not. What a user may give wrongly is refused by an InputError, which must be reached.
"""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_args

from beartype import beartype
from jaxtyping import AbstractArray

LATER = {  # their users may give wrong shapes too: these are refused where they are used
    "StepAverages.__init__",
    "Weights.__init__",
}
Function = TypeVar("Function", bound=Callable[..., Any])


def check_arrays(function: Function) -> Function:
    """Return `function` with a check of every argument and result that is annotated as an array of some shape."""
    arrays = {name: kind for name, kind in function.__annotations__.items() if _has_shape(kind)}
    if not arrays or function.__qualname__ in LATER:
        return function
    function.__annotations__ = arrays
    return beartype(function)


def _has_shape(kind: Any) -> bool:
    """Return whether an annotation is, or contains, an array with axes."""
    return (inspect.isclass(kind) and issubclass(kind, AbstractArray)) or any(map(_has_shape, get_args(kind)))
