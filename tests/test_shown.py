"""Objects that print what they are: values, in few lines, as text and as HTML, whatever is in them."""

import dataclasses
import warnings
from html.parser import HTMLParser
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pytest

import ode
import simulations
import teacher_student as ts
from teacher_student import internal
from teacher_student._shown_text import array_in_words, html_of, in_words

TAGS = {"div", "details", "summary", "b", "pre", "svg", "polygon", "title", "text", "span", "br"}
HOSTILE = "<script>alert(1)</script>&"


def problem(**changes: Any) -> ts.Problem:
    variances = {"easy": {"relevant": 1.0, "irrelevant": 0.125}, HOSTILE: {"relevant": 1.0, "irrelevant": 1.5}}
    task = ts.Committee(ts.Inputs({"relevant": 0.3, "irrelevant": 0.7}, variances), 2, support="relevant")
    order = ts.Curriculum.phases(("easy", 2.0), ({"easy": 0.25, HOSTILE: 0.75}, HOSTILE, 3.0))
    return ts.Problem(task, ts.Student(2), ts.SGD(**({"learning_rate": 0.8125} | changes)), order)


def shown() -> dict[str, Any]:
    """An object of every kind that a user meets, by its class's name."""
    start = ts.random_overlaps(problem(), 500, 0)
    alphas = [1.0, 2.0, 5.0]
    theory = ode.fluctuations(problem(), start, alphas, sample=ode.Sampled(2**8, 2), with_accuracy=False)
    runs = simulations.run(problem(), 200, 12, alphas, 1, start=start, progress=False)
    single = ts.Problem(
        ts.Committee(ts.Inputs({"all": 1.0}), 1), ts.Student(1), ts.SGD(0.5), ts.Curriculum.single("all", 2.0)
    )
    point = ode.fixed_points(single, ts.random_overlaps(single, 500, 0))[0]
    agreement = simulations.agreement(theory, runs)
    objects: list[Any] = [
        problem(),
        problem().task,
        problem().inputs,
        problem().student,
        problem().student.activation,
        problem().sgd,
        problem().curriculum,
        ts.XorMixture({"easy": {"separation": 1.5, "plane_variance": 0.3, "rest_variance": 0.4}}),
        start,
        theory,
        theory.observables,
        theory.fluctuations,
        theory.source,
        theory.budget(),
        ts.quantities(theory.observables, problem())[0],
        ts.Directions.of(problem(), start),
        runs,
        agreement,
        agreement.shifts[0],
        agreement.questions[0],
        agreement.worst,
        point,
        ode.Sampled(64),
        simulations.plan(theory, {"sgd.learning_rate": 0.1}),
    ]
    assert theory.fluctuations is not None
    objects += [theory.fluctuations.law, theory.fluctuations.responses]
    return {type(each).__name__: each for each in objects}


@pytest.fixture(scope="module")
def everything() -> dict[str, Any]:
    return shown()


class Elements(HTMLParser):
    """Counts what was opened and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.slow  # they simulate
def test_everything_prints_in_few_lines_without_addresses_and_warnings(everything: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, each in everything.items():
            text = repr(each)
            assert text.count("\n") < 40, name
            assert max(map(len, text.split("\n"))) < 400, name
            assert " at 0x" not in text, (name, text)
            assert "f64[" not in text, (name, text)


@pytest.mark.slow  # they simulate
def test_everything_is_html_that_closes_what_it_opens_and_runs_nothing(everything: dict[str, Any]) -> None:
    for name, each in everything.items():
        elements = Elements()
        elements.feed(each._repr_html_())
        assert not elements.open, name
        assert elements.tags <= TAGS


def test_a_problem_prints_its_values() -> None:
    text = repr(problem(weight_decay=0.0625))
    for value in ("0.8125", "0.0625", "'irrelevant': 0.125", "'irrelevant': 1.5", "'relevant': 0.3", "easy for 2"):
        assert value in text
    assert "Activation('erf', odd, smooth, continuous)" in text
    assert repr(problem(learning_rate=0.5)) != repr(problem(learning_rate=0.25))


def test_the_curriculum_is_drawn_as_a_strip_of_its_phases() -> None:
    drawn = html_of(problem())
    assert drawn.count("<polygon") == 3  # easy; a ramp from a mixture, of two levels
    assert "alpha 0 to 2" in drawn
    assert "alpha 2 to 5" in drawn


def test_long_arrays_are_summarised_and_what_is_not_finite_is_counted() -> None:
    assert array_in_words(np.array(0.1 + 0.2)) == "0.3"
    assert array_in_words(np.array([[1, 2], [3, 4]])) == "[[1, 2], [3, 4]]"
    many = np.linspace(0.0, 2.0, 100)
    assert array_in_words(many) == "array (100,), 0 to 2"
    many[:3] = np.nan
    assert array_in_words(many) == "array (100,), 0.06061 to 2, 3 not finite"
    assert array_in_words(np.full(20, np.nan)) == "array (20,), 20 not finite"
    assert array_in_words(np.array([1 + 2j])) == "[1+2j]"


def test_numbers_that_are_being_traced_have_a_type_and_no_value() -> None:
    texts: list[str] = []

    def traced(rate: jax.Array) -> jax.Array:
        inside = eqx.tree_at(lambda p: p.sgd.learning_rate, problem(), rate)
        texts.append(repr(inside) + html_of(inside) + repr(inside.curriculum))
        return rate

    jax.jit(traced)(1.0)
    jax.jit(lambda d: texts.append(repr(eqx.tree_at(lambda p: p.curriculum.durations, problem(), d))))(np.ones(2))
    assert "learning_rate=float32[]" in texts[0]
    assert "being traced" in texts[1]


def test_trees_with_anything_in_place_of_their_numbers_print() -> None:
    """Derivatives, batches, shapes, and what a filter leaves."""
    start = ts.random_overlaps(problem(), 500, 0)
    for tree in (
        jax.tree.map(lambda x: None, problem()),
        jax.tree.map(lambda x: np.stack([x, x]), (problem(), start))[0],
        eqx.filter(problem(), lambda x: False),
        eqx.filter_eval_shape(lambda: problem()),
        jax.tree.map(lambda x: "text", problem()),
    ):
        assert repr(tree).startswith("Problem(")
        assert html_of(tree)


def test_a_record_of_ones_own_prints_its_values() -> None:
    @dataclasses.dataclass(frozen=True)
    class Mine(internal.PublicRecord):
        numbers: np.ndarray
        words: str = "x"

    assert repr(Mine(np.arange(3))) == "Mine(numbers=[0, 1, 2], words='x')"
    assert in_words(("a", 1.0)) == "('a', 1)"


def test_a_problem_shows_its_curriculum_before_anything_is_opened() -> None:
    drawn = html_of(problem())
    assert drawn.index("<svg") > drawn.index("Curriculum</b>(easy for 2")
    before = drawn[: drawn.index("<svg")]
    assert before.count("<details") - before.count("</details>") == 1  # only the problem's own, which is open
    assert "None" not in html_of(ts.Source("ode", "closed form", "float64"))
