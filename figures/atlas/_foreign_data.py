"""Data sets of other kinds, given to what draws or describes a study: one InputError in one line."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import xarray as xr

import teacher_student as ts
from teacher_student import internal

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
REMEDY = "use what figures.atlas.named_figure computes, in a folder of its own"


def takes_data_of(study: str) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Return a decorator for functions of data sets: what they lack, or have in another form, is an InputError.

    A data set may come from another program or another study. It may then lack anything, which no list of checks
    foresees: so what xarray and NumPy raise is taken for what it says of the data.
    """

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        signature = inspect.signature(function)
        kinds = {name: given.annotation for name, given in signature.parameters.items()}

        @functools.wraps(function)
        def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            for name, value in signature.bind(*args, **kwargs).arguments.items():
                _check_kind(study, name, value, kinds[name])
            try:
                return function(*args, **kwargs)
            except ts.InputError:
                raise
            except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
                reason = f"another one ({type(error).__name__}: {internal.first_line(error)})"
                raise ts.InputError(f"data of the figure {study}", reason, REMEDY) from error

        return checked

    return decorate


def _check_kind(study: str, name: str, value: Any, kind: Any) -> None:
    if kind in (xr.Dataset, xr.DataArray) and not isinstance(value, kind):
        got = f"{type(value).__name__} as {name}"
        raise ts.InputError(f"data of the figure {study} (xarray.{kind.__name__})", got, REMEDY)
