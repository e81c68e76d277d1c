"""Functions of figures.atlas, given data sets of other kinds: one line."""

import inspect
from typing import Any

import numpy as np
import pytest
import xarray as xr

import figures.atlas
import teacher_student as ts

OTHERS: tuple[Any, ...] = (
    None,
    3,
    xr.Dataset(),
    xr.Dataset({"temperature": ("time", [1.0, 2.0])}),
    xr.Dataset(
        {"error": (("engine", "level"), np.ones((1, 1)))}, {"engine": ["theory"]}, {"axes": "3", "problem": "[["}
    ),
)
FUNCTIONS = {
    name: function
    for name in dir(figures.atlas)
    if inspect.isfunction(function := getattr(figures.atlas, name))
    and any(given.annotation is xr.Dataset for given in inspect.signature(function).parameters.values())
}


def test_all_functions_of_data_sets_are_found() -> None:
    assert {"cost", "curriculum_text", "escape_fit", "frontier", "gain", "lottery", "tickets"} <= set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_a_study_refuses_data_sets_of_other_kinds(name: str) -> None:
    needed = [
        given
        for given in inspect.signature(FUNCTIONS[name]).parameters.values()
        if given.default is inspect.Parameter.empty
    ]
    for other in OTHERS:
        values = [other if given.annotation is xr.Dataset else 1.0 for given in needed]
        with pytest.raises(ts.InputError) as raised:
            FUNCTIONS[name](*values)
        assert len(str(raised.value).splitlines()) == 1


def test_a_call_with_too_few_arguments_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="missing"):
        figures.atlas.cost()  # type: ignore[call-arg]


def test_without_the_guard_a_foreign_data_set_raises_an_error_of_xarray() -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011  # whichever it is
        inspect.unwrap(figures.atlas.tickets)(OTHERS[2])
    assert not isinstance(raised.value, ts.InputError)
