"""The registry of closed forms: what stands in it is what decides, and a user's own units can be entered."""

import ast
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

import ode
import teacher_student as ts
from ode.moments import _registry, look_up
from ode.moments._registry import Row
from teacher_student.internal import with_fields

from . import build

ROOT = Path(__file__).parents[1]
C = ode.derive.symbols(4)
SIGNS = list(itertools.product((1, -1), repeat=3))  # of b, c and d; those of a alone change nothing


def I2(C11: Any, C12: Any, C22: Any, of: Any = jnp) -> Any:
    """E[sin(a) sin(b)]."""
    return of.exp(-(C11 + C22) / 2) * of.sinh(C12)


def I4(*upper: Any, of: Any = jnp) -> Any:
    """E[cos(a) cos(b) sin(c) sin(d)]: products as sums of exp(i s.z), and E exp(i s.z) = exp(-s.C s / 2)."""
    total: Any = 0
    for rest in SIGNS:
        s = (1, *rest)
        pairs = zip(upper, itertools.combinations_with_replacement(range(4), 2), strict=True)
        form = sum((1 if i == j else 2) * s[i] * s[j] * c for c, (i, j) in pairs)
        total = total - s[2] * s[3] * of.exp(-form / 2) / 8
    return total


UPPER = [C[i, j] for i in range(4) for j in range(i, 4)]
PAIR = I2(C[0, 0], C[0, 1], C[1, 1], sp)


@pytest.fixture
def rows() -> Iterator[dict[Any, Any]]:
    """The registry; what a test enters is forgotten after it."""
    yield _registry._ROWS
    for average, kinds in list(_registry._ROWS):
        if not all(isinstance(kind, str) for kind in kinds):
            del _registry._ROWS[average, kinds]


def sine(name: str = "sine") -> ts.Activation:
    """A unit that no other test has entered."""
    return ts.Activation(name, lambda x: jnp.sin(x), smooth=True)


def entered(as_functions: bool = False) -> ts.Activation:
    unit = sine()
    ode.add_closed_form("I2", (unit, unit), I2 if as_functions else PAIR)
    ode.add_closed_form("I4", (unit, unit, unit), I4 if as_functions else I4(*UPPER, of=sp))
    return unit


def compiled_drift(problem: ts.Problem, averages: Any, state: ts.Overlaps) -> list[np.ndarray]:
    with jax.enable_x64(True):
        rates = jax.jit(lambda problem, state: ode.drift(problem, averages, 0.5, state))(problem, state)
    return [np.asarray(x) for x in jax.tree.leaves(rates)]


@pytest.mark.slow
@pytest.mark.parametrize("as_functions", [True, False])
def test_the_drift_of_an_entered_unit_is_the_sampled_one(rows: Any, as_functions: bool) -> None:
    """Within 6 standard errors over 16 scramblings (p < 3e-5 a number)."""
    unit = entered(as_functions)
    problem = build.problem(student=unit, teacher=unit)
    state = build.overlaps(problem, 3)
    assert ode.missing_closed_form(problem) is None
    assert isinstance(ode.fastest_averages(problem), ode.ClosedForm)
    exact = compiled_drift(problem, ode.ClosedForm(), state)
    samples = ode.Sampled(2**12, 16, key=1).draw(problem)
    with jax.enable_x64(True):
        sampled = jax.jit(jax.vmap(lambda sample: ode.drift(problem, sample, 0.5, state)))(samples)
    for mine, theirs in zip(exact, map(np.asarray, jax.tree.leaves(sampled)), strict=True):
        error = theirs.std(axis=0, ddof=1) / 4 + 1e-9 * (1 + np.abs(mine))
        assert np.max(np.abs(theirs.mean(axis=0) - mine) / error) < 6


def test_the_derived_equations_of_an_entered_unit_are_its_drift(rows: Any) -> None:
    unit = entered()
    problem = build.problem(student=unit, teacher=unit, K=2, M=1, readout=(1.0,), blocks=1)
    state = build.overlaps(problem, 3)
    equations = ode.derive.equations(problem)
    rates = equations.evaluate(state, "easy")
    easy = ts.Problem(problem.task, problem.student, problem.sgd, ts.Curriculum.single("easy", 1.0))
    dQ, dR, _, dv = compiled_drift(easy, ode.ClosedForm(), state)
    assert rates["Q[1,2]"] == pytest.approx(dQ[0, 0, 1], rel=1e-10)
    assert rates["R[2,1]"] == pytest.approx(dR[0, 1, 0], rel=1e-10)
    assert rates["readout[1]"] == pytest.approx(dv[0], rel=1e-10)
    assert "sinh" in equations.latex
    assert sp.expand(sp.diff(PAIR, C[0, 1])) == ode.derive.averages(unit).J2


def test_what_was_entered_as_a_function_is_not_printed(rows: Any) -> None:
    unit = entered(as_functions=True)
    with pytest.raises(ts.InputError, match="closed-form averages"):
        ode.derive.equations(build.problem(student=unit, teacher=unit, K=1, M=1, readout=(1.0,)))


def test_an_error_needs_less_than_a_drift(rows: Any) -> None:
    unit = sine()
    problem = build.problem(student=unit, teacher=unit)
    assert "student activation 'sine'" in str(ode.missing_closed_form(problem))
    ode.add_closed_form("I2", (unit, unit), PAIR)
    assert ode.missing_closed_form(problem) == "no I4 of (sine, sine, sine), which ode.add_closed_form enters"
    state = build.overlaps(problem, 3)
    observed = ode.observe(problem, state, None, with_accuracy=False)
    sampled = ode.Sampled(2**12, 8, key=2).draw(problem)
    errors: Callable[[Any], Any] = jax.vmap(
        lambda each: ode.observe(problem, state, each, with_accuracy=False).error["easy"]
    )
    del rows["I2", (unit, unit)]  # else it would take the closed form
    found = np.asarray(errors(sampled))
    assert abs(found.mean() - observed.error["easy"]) < 6 * found.std(ddof=1) / np.sqrt(8) + 1e-6


def test_a_unit_that_lacks_one_average_says_so(rows: Any) -> None:
    unit, other = entered(), sine("other")
    problem = build.problem(student=unit, teacher=other)
    for average, units in (
        ("I2", (unit, other)),
        ("I4", (unit, unit, other)),
        ("I4", (unit, other, other)),
    ):
        names = ", ".join(each.name for each in units)
        assert ode.missing_closed_form(problem) == f"no {average} of ({names}), which ode.add_closed_form enters"
        ode.add_closed_form(average, units, I2 if average == "I2" else I4)
    assert ode.missing_closed_form(problem) is None
    erf = ts.Student(1).activation
    mixed = build.problem(student="erf", teacher=unit)  # what it would need of erf units alone nobody can enter
    assert ode.missing_closed_form(mixed) == "no I2 of (erf, sine), which ode.add_closed_form enters"
    rows |= {
        ("I2", ("erf", unit)): Row(I2),
        ("I4", ("erf", "erf", unit)): Row(I4),
        ("I4", ("erf", unit, unit)): Row(I4),
    }
    assert look_up("I2", erf, unit) is not None
    assert "teacher activation 'sine' (erf, linear" in str(ode.missing_closed_form(mixed))


@pytest.mark.parametrize(
    ("average", "formula", "message"),
    [
        ("I2", lambda C11, C12, C22: 1.01 * I2(C11, C12, C22), "from the formula"),
        ("I2", PAIR * C[0, 1], "from the formula"),
        ("I2", lambda C11, C12, C22: jnp.nan * C11, "nan from the formula"),
        ("I2", lambda C11, C12: C12, "positional argument"),
        ("I2", lambda C11, C12, C22: jnp.where(C11 > 2.5, 0.0, I2(C11, C12, C22)), "from the formula"),
        ("I2", lambda C11, C12, C22: jnp.where(C11 == C12, 0.9, 1.0) * I2(C11, C12, C22), "from the formula"),
        # right in value, but without a derivative where the fields are equal
        ("I2", lambda C11, C12, C22: I2(C11, C12, C22) + 0 * jnp.sqrt(jnp.abs(C11 * C22 - C12**2)), "nan from the"),
        # right in value alone
        ("I2", lambda C11, C12, C22: I2(C11, jax.lax.stop_gradient(C12), C22), "dI2/dC12 of sine"),
        ("I2", lambda C11, C12, C22: jnp.sum(C12), "elementwise"),
        ("I2", sp.Symbol("rho") * C[0, 1], "the symbols rho"),
        ("I2", "C12 +", "sympy expression"),
        ("I4", lambda *C: 2 * I4(*C), "from the formula"),
        ("I4", lambda *C: jnp.where(C[0] == C[1], 1.1, 1.0) * I4(*C), "from the formula"),
        ("I3", PAIR, "a known average of units"),
        ("I2", None, "sympy expression or a JAX function"),
        ("I2", [PAIR], "sympy expression or a JAX function"),
        (
            "I2",
            sp.Integral(sp.exp(-(sp.Symbol("C12") ** 2) * sp.Symbol("C22")), sp.Symbol("C12")),
            "functions that JAX has",
        ),
        ("I2", lambda C11, C12, C22: I2(C11, C12, C22) + 1j, "not real numbers"),
    ],
)
@pytest.mark.usefixtures("promotion")
def test_a_wrong_closed_form_is_refused_in_one_line(rows: Any, average: str, formula: Any, message: str) -> None:
    unit, before = sine(), set(rows)
    with pytest.raises(ts.InputError, match=message) as error:
        ode.add_closed_form(average, (unit,) * (3 if average == "I4" else 2), formula)
    assert "\n" not in str(error.value)
    assert set(rows) == before


def test_what_is_entered_stays(rows: Any) -> None:
    unit = entered()
    with pytest.raises(ts.InputError, match="not entered yet"):
        ode.add_closed_form("I2", (unit, unit), PAIR)
    with pytest.raises(ts.InputError, match="a unit of your own among"):
        ode.add_closed_form("I2", ("erf", "relu"), PAIR)
    with pytest.raises(ts.InputError, match=r"a tuple of units \(f, g\); got: Activation"):
        ode.add_closed_form("I2", unit, PAIR)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ts.InputError, match=r"units \(f, g\) of I2; got: 3"):
        ode.add_closed_form("I2", (unit, unit, unit), PAIR)


class Sum(ts.Task):
    """A task of the user's own whose labels are a sum of units, and which says so."""

    inputs: ts.Inputs
    readout: Any
    declared: Any

    latents = 2
    seen_blocks = (True,)
    cluster_probabilities = np.ones(1)

    @property
    def cluster_means(self) -> Any:
        return np.zeros((2, 1, 2))

    @property
    def units(self) -> ts.SumOfUnits:
        return ts.SumOfUnits(ts.Student(1).activation, self.declared)

    def label(self, nu: Any, cluster: Any, noise: Any) -> Any:
        return self.clean_label(nu, cluster)

    def clean_label(self, nu: Any, cluster: Any) -> Any:
        return ts.Student(1).activation(nu) @ jnp.asarray(self.readout, nu.dtype)


class Shifted(Sum):
    """Inputs whose mean is not 0, for which closed forms are not."""

    @property
    def cluster_means(self) -> Any:
        return np.array([[[0.0, 0.0]], [[1.5, 0.0]]])


class Twice(Sum):
    """The label that errors are measured against is not that of SGD."""

    def clean_label(self, nu: Any, cluster: Any) -> Any:
        return 2 * super().clean_label(nu, cluster)

    def label(self, nu: Any, cluster: Any, noise: Any) -> Any:
        return super().clean_label(nu, cluster)


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (Shifted, "inputs of mean 0 of a Shifted that declares units"),
        (Twice, "clean_label .*units that a Twice declares"),
    ],
)
def test_units_are_for_inputs_of_mean_zero_and_for_both_labels(cls: type[Sum], message: str) -> None:
    like = build.problem(blocks=1, noise=0.0)
    with pytest.raises(ts.InputError, match=message):
        ts.Problem(cls(build.inputs(1), np.ones(2), np.ones(2)), like.student, like.sgd, like.curriculum)


def with_task(readout: Any, declared: Any) -> ts.Problem:
    like = build.problem(blocks=1, noise=0.0)
    task = Sum(build.inputs(1), np.array(readout), np.array(declared))
    return ts.Problem(task, like.student, like.sgd, like.curriculum)


def test_a_task_that_declares_its_units_has_the_closed_forms_of_a_committee() -> None:
    own, committee = with_task((1.0, -0.7), (1.0, -0.7)), build.problem(blocks=1, noise=0.0)
    assert ode.missing_closed_form(own) is None
    state = build.overlaps(committee, 3)
    mine, theirs = (compiled_drift(each, ode.ClosedForm(), state) for each in (own, committee))
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)
    assert list(ode.known_guesses(own, state)) == list(ode.known_guesses(committee, state))


@pytest.mark.parametrize(
    ("declared", "message"), [((1.0, -0.6), "label .*units that a Sum declares"), ((1.0,), "a readout of shape")]
)
def test_units_that_are_not_those_of_the_labels_are_refused(declared: Any, message: str) -> None:
    with pytest.raises(ts.InputError, match=message):
        with_task((1.0, -0.7), declared)


NAMES = {"erf", "relu", "linear", "sign", "tanh", "polynomial", "value"}
CONCRETE = {"Committee", "XorMixture", "Polynomial"}


@pytest.mark.parametrize("path", [*(ROOT / "ode").rglob("*.py"), *(ROOT / "simulations").rglob("*.py")], ids=str)
def test_no_engine_asks_for_the_name_of_a_unit_or_the_type_of_a_task(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare):
            texts = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            assert not texts & NAMES - labels_kinds(node), f"{path}:{node.lineno}"
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
            names = {getattr(each, "id", getattr(each, "attr", "")) for each in ast.walk(node.args[1])}
            assert not names & CONCRETE, f"{path}:{node.lineno}"


def labels_kinds(node: ast.Compare) -> set[str]:
    """Kinds of labels, which a task declares: `problem.task.labels == "sign"`."""
    return {"sign", "value"} if getattr(node.left, "attr", "") == "labels" else set()


@pytest.mark.parametrize("teacher", ["x**3", "erf"])
def test_the_accuracy_of_one_odd_unit_of_each_is_closed(teacher: str) -> None:
    problem = build.problem(student="x**3", teacher=teacher, K=1, M=1, readout=(1.0,))
    state = build.overlaps(problem, 3)
    exact = ode.observe(problem, state, None).accuracy["easy"]
    points = ode.Sampled(2**12, 8, key=2).draw(problem)
    with jax.enable_x64(True):
        condition = jax.tree.map(lambda x: x[0], problem.task.conditions())
        sampled = jax.vmap(lambda sample: sample.error_and_accuracy(problem, state, condition)[1])(points)
    found = np.asarray(sampled)
    assert abs(found.mean() - exact) < 6 * found.std(ddof=1) / np.sqrt(8) + 1e-6
    assert 0.05 < exact < 0.95


class Heated(ts.SGD):
    """A rule with a number that the derived equations do not know."""

    temperature: float = 0.0


def test_equations_without_a_term_that_they_do_not_know_are_refused() -> None:
    like = build.problem(K=1, M=1, readout=(1.0,), blocks=1)
    for temperature in (0.0, 0.3):
        rule = with_fields(build.unchecked(Heated)(0.5), temperature=temperature)
        problem = ts.Problem(like.task, like.student, rule, like.curriculum)
        if temperature == 0.0:
            assert ode.derive.equations(problem)
        else:
            with pytest.raises(ts.InputError, match=r"temperature = 0\.3"):
                ode.derive.equations(problem)
