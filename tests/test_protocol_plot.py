"""Pictures of optimal protocols and of their checks: panels for what there is, which can be read, also in grey."""

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import figures
import simulations
import teacher_student as ts
from figures.pictures import alike
from ode import protocols

from . import optima
from .test_plots import covered, made_up, panels, verdict

WRONG = [r"$1 -$ accuracy, easy", r"$1 -$ accuracy, hard"]
GAPS = "cost $J$ above the best"


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """pyplot keeps what is shown until it is closed."""
    yield
    pyplot.close("all")


def three_levels() -> protocols.Optimum:
    """An order of three levels, judged on two; no named orders."""
    best = optima.best_order()
    levels = {"easy": {"rel": 1.0, "irr": 0.0}, "hard": {"rel": 1.0, "irr": 2.0}, "mid": {"rel": 1.0, "irr": 1.0}}
    task = ts.Committee(ts.Inputs({"rel": 0.5, "irr": 0.5}, levels), 1, activation="sign", support="rel")
    order = ts.Curriculum.phases(("easy", 2.0), ({"mid": 0.3, "hard": 0.7}, {"hard": 1.0, "mid": 0.0}, 4.0))
    problem = ts.Problem(task, best.problem.student, best.problem.sgd, order)
    S = {name: -0.01 * np.cos(optima.ALPHAS + i) for i, name in enumerate(levels)}
    certificate = dataclasses.replace(best.certificate, switching=S, stretches=())
    return dataclasses.replace(best, problem=problem, given=problem, named={}, certificate=certificate)


def two_numbers() -> protocols.Optimum:
    """A rate as a spline, and a decay in phases; one number is the same at all times."""
    best = optima.best_rate(better=ts.Schedule.spline([1.5, 0.8, 0.3], [0.0, 2.0, 6.0]))
    sgd = ts.SGD(best.problem.sgd.learning_rate, weight_decay=ts.Schedule.phases((0.02, 2.0), (0.0, 4.0)))
    problem = ts.Problem(best.problem.task, best.problem.student, sgd, best.problem.curriculum)
    return dataclasses.replace(best, problem=problem, variables={"task.noise": 0.3, "sgd.learning_rate, knot 1": 1.5})


def variance_over_time() -> protocols.Optimum:
    """A level's variance as a schedule: the judge keeps the given one."""
    best = optima.best_rate()
    levels = {"all": {"all": ts.Schedule.linear(0.5, 1.0, 6.0)}}
    task = ts.Committee(ts.Inputs({"all": 1.0}, levels), 1, noise=0.3)
    return dataclasses.replace(best, problem=ts.Problem(task, best.problem.student, ts.SGD(1.0), best.given.curriculum))


def own_cost() -> protocols.Optimum:
    cost: Any = protocols.Own(lambda seen: seen.error["all"][-1], label="my cost")
    return dataclasses.replace(optima.best_rate(), criterion=cost)


def check(*, finite: bool = True) -> figures.ProtocolCheck:
    """A check of made-up numbers."""
    gains = tuple(
        figures.MeasuredGain(name, 0.01, 0.01, 0.0, 0.009, 5e-4, 0.0075, 0.0105, 2e-3, word)
        for name, word in (("easy, hard", "confirmed"), ("mixed", "too small to see with these runs"))
    )
    agreement = verdict(made_up())
    return figures.ProtocolCheck("final error on hard", 500, 20, 0.01, gains, agreement, {}, {}, True, finite)


OPTIMA: dict[str, Callable[[], protocols.Optimum]] = {
    "order": optima.best_order,
    "order and rates": lambda: optima.best_order(tuned=True),
    "three levels": three_levels,
    "rates": optima.best_rate,
    "two numbers": two_numbers,
    "variance": variance_over_time,
    "own cost": own_cost,
}


@functools.cache
def drawn(name: str) -> tuple[Figure, np.ndarray]:
    """A picture, drawn once for all tests."""
    return OPTIMA[name]().plot()


def read(figure: Figure) -> None:
    """Assert that curves differ, legends cover nothing, panels have letters and axes have labels."""
    figure.draw_without_rendering()
    shown = panels(figure)
    for axes in shown:
        assert alike(axes) == []
        assert axes.get_xlabel()
        assert axes.get_ylabel()
    assert covered(figure) == 0
    if len(shown) > 1:
        letters = [re.match(r"\((\w)\)", one.get_title(loc="left")) for one in shown]
        assert [found and found[1] for found in letters] == [chr(ord("a") + i) for i in range(len(shown))]
    texts = [text.get_text() for text in figure.findobj(mpl.text.Text)]
    assert not [text for text in texts if re.search(r"\d[eE][+-]?\d", text)]


@pytest.mark.parametrize("name", OPTIMA)
def test_a_picture_of_a_protocol_can_be_read(name: str) -> None:
    read(drawn(name)[0])


def test_a_picture_of_a_check_can_be_read() -> None:
    read(check().plot()[0])


@pytest.mark.parametrize("style", ["prl", "prl-wide"])
def test_it_can_be_read_at_the_width_of_a_column(style: str) -> None:
    with figures.style(style):
        read(optima.best_order().plot()[0])
        read(check().plot()[0])


def labels(axes: np.ndarray) -> list[str]:
    return [one.get_ylabel() for one in axes]


def test_panels_are_of_what_there_is() -> None:
    switching = "$S$(easy) $-$ $S$(hard)"
    _, axes = drawn("order")
    assert labels(axes) == ["share of samples", switching, *WRONG, GAPS]
    _, axes = drawn("order and rates")
    assert labels(axes) == ["share of samples", r"learning rate $\eta$", switching, *WRONG, GAPS]
    _, axes = drawn("rates")
    assert labels(axes) == [r"learning rate $\eta$", "Hamiltonian $H$", r"$\epsilon_g$, all", GAPS]
    _, axes = drawn("two numbers")
    assert labels(axes)[:2] == [r"learning rate $\eta$", r"weight decay $\gamma$"]
    _, axes = drawn("three levels")
    assert labels(axes)[1] == r"$S_l - \min_l S_l$"
    _, axes = drawn("variance")
    assert labels(axes)[0] == r"variance $\Delta$ (all, all)"


def names(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def test_protocols_have_one_look_in_all_panels() -> None:
    _, axes = drawn("order and rates")
    own = ["optimum", "easy, hard", "hard, easy", "mixed"]
    assert names(axes[1]) == names(axes[3]) == names(axes[4]) == own
    rates, curves = ({line.get_label(): line.get_color() for line in axes[i].get_lines()} for i in (1, 3))
    assert rates == curves
    marks = {str(line.get_label()): line.get_color() for line in axes[-1].get_lines()}
    assert marks["mixed"] == marks["mixed, tuned"] == curves["mixed"]


def test_gaps_are_in_order_and_of_what_has_a_cost() -> None:
    best = optima.best_order()
    _, axes = drawn("order")
    found = sorted((x, y) for line in axes[-1].get_lines() for x, y in np.asarray(line.get_xydata()))
    costs = sorted([*(search.cost for search in best.searches), *(named.cost for named in best.named.values())])
    np.testing.assert_allclose([y for _, y in found], np.array(costs) - best.cost, atol=1e-12)


def test_a_problem_without_named_orders_is_compared_with_what_was_given() -> None:
    _, axes = drawn("rates")
    assert names(axes[0]) == names(axes[2]) == ["optimum", "as given"]
    assert "as given" in names(axes[-1])


def test_an_arc_is_marked_and_phases_are_named() -> None:
    _, axes = drawn("order")
    assert names(axes[1]) == ["singular arc"]
    (arc,) = [line for line in axes[1].get_lines() if line.get_label() == "singular arc"]
    np.testing.assert_allclose(arc.get_xdata(), [1.401170, 4.401170])
    assert {"easy", "arc", "below 0: easy"} <= {text.get_text() for text in axes[1].texts}


def test_levels_differ_in_grey() -> None:
    _, axes = drawn("order")
    hatches = [collection.get_hatch() for collection in axes[0].collections]
    assert len(set(hatches)) == len(hatches) == 2


def test_one_search_that_found_what_was_given_is_drawn() -> None:
    best = optima.best_rate()
    best = dataclasses.replace(best, problem=best.given, searches=best.searches[:1])
    best = dataclasses.replace(best, cost=1.0, searches=(dataclasses.replace(best.searches[0], cost=1.0),))
    figure, _ = best.plot()
    figure.draw_without_rendering()


def test_the_caption_says_what_is_certain() -> None:
    def said(best: protocols.Optimum) -> str:
        return re.sub(r"\s+", " ", best.plot()[0].get_suptitle())

    best = two_numbers()
    words = re.sub(r"\s+", " ", drawn("two numbers")[0].get_suptitle())
    assert "final error on all" in words
    assert "= 0.3" in words
    assert "Pontryagin's conditions hold" in words
    rejected = dataclasses.replace(best.certificate, kkt=1.0)
    assert "the certificate rejects it" in said(dataclasses.replace(best, certificate=rejected))


def test_a_check_draws_predicted_and_measured_gains() -> None:
    figure, (axes,) = check(finite=False).plot()
    assert [text.get_text() for text in axes.get_yticklabels()] == ["easy, hard", "mixed"]
    assert set(names(axes)) == {"measured, 99 %", "predicted", "too small to see"}
    assert "20 runs at $N$ = 500, predicted for" in figure.get_suptitle()
    assert isinstance(check().agreement, simulations.Agreement)
