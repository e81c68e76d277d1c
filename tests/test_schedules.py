"""Numbers that depend on alpha: their values, what theory and simulation make of them, files, and what is refused."""

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

import figures
import ode
import simulations
import teacher_student as ts
from figures.explorer._controls import inputs, rates
from figures.sweeps import label_of as axis_label
from ode import _curriculum_responses, _host_steps
from ode._phase_clock import PhaseClock
from teacher_student.internal import label_of, reader_of, to_host

from . import build
from .compilations import counted

END = 6.0
NUMBERS = ("learning_rate", "readout_learning_rate", "weight_decay", "noise", "variance")
USUAL = {"learning_rate": 0.8, "readout_learning_rate": 0.3, "weight_decay": 0.2, "noise": 0.3, "variance": 1.5}


def problem(**numbers: Any) -> ts.Problem:
    """A problem with all terms of the drift, in which any number may be a schedule."""
    chosen = USUAL | numbers
    levels = {"easy": {"seen": 1.0, "unseen": 0.2}, "hard": {"seen": 1.0, "unseen": chosen["variance"]}}
    teacher = ts.Committee(ts.Inputs({"seen": 0.4, "unseen": 0.6}, levels), 2, support="seen", noise=chosen["noise"])
    sgd = ts.SGD(chosen["learning_rate"], chosen["readout_learning_rate"], chosen["weight_decay"])
    order = chosen.get("order", ts.Curriculum.phases(("easy", 2.0), ({"easy": 0.3, "hard": 0.7}, END - 2.0)))
    return ts.Problem(teacher, ts.Student(2), sgd, order)


START = ts.random_overlaps(problem(), dim=200, key=0)
SHAPES: dict[str, tuple[ts.Schedule, Callable[[Any], Any]]] = {
    "constant": (ts.Schedule.constant(0.7), lambda a: 0.7),
    "phases": (
        ts.Schedule.phases((1.0, 2.0), (0.5, 1.0), (0.5, 0.1, 2.0)),
        lambda a: 1.0 if a < 2 else 0.5 if a < 3 else 0.5 - 0.2 * (a - 3) if a < 5 else 0.1,
    ),
    "linear": (ts.Schedule.linear(1.0, 0.2, 4.0), lambda a: 1.0 - 0.2 * min(a, 4.0)),
    "cosine": (ts.Schedule.cosine(1.0, 0.2, 4.0), lambda a: 0.2 + 0.4 * (1 + np.cos(np.pi * min(a, 4.0) / 4))),
    "power": (ts.Schedule.power(1.0, 2.0, 1.5), lambda a: (1 + a / 2) ** -1.5),
    "spline": (
        ts.Schedule.spline([1.0, 0.9, 0.2, 0.3], [0.0, 1.0, 3.0, 5.0]),
        lambda a: PchipInterpolator([0.0, 1.0, 3.0, 5.0], [1.0, 0.9, 0.2, 0.3])(min(a, 5.0)),
    ),
    "function": (ts.Schedule.function(lambda a, b, c: b * jnp.exp(-c * a), 1.0, 0.3), lambda a: np.exp(-0.3 * a)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_host_reads_what_a_schedule_says(shape: str) -> None:
    """To the last digit, at jumps and beyond the end too: the integrators read one way or the other."""
    schedule, _ = SHAPES[shape]
    read = reader_of(schedule)
    jumps = np.asarray(schedule.jumps, float)
    times = np.concatenate([np.linspace(0.0, 8.0, 97), jumps, np.nextafter(jumps, 0.0)])
    assert [float(read(float(alpha))) for alpha in times] == [float(schedule(alpha)) for alpha in times]


def test_the_host_reads_schedules_inside_an_array_of_numbers() -> None:
    variances = problem(variance=SHAPES["phases"][0]).inputs.variances
    read = reader_of(variances)
    for alpha in (0.0, 2.0, 2.5, 4.0, 7.0):
        np.testing.assert_array_equal(read(alpha), variances(alpha))


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> tuple[ts.Schedule, Callable[[Any], Any]]:
    """A schedule, and its formula written out."""
    return SHAPES[request.param]


# ---- values


def test_each_shape_has_the_values_of_its_formula(shape: tuple[ts.Schedule, Callable[[Any], Any]]) -> None:
    schedule, formula = shape
    for alpha in (0.0, 0.3, 1.0, 1.999, 2.0, 2.7, 3.0, 4.4, 5.0, 50.0):
        assert float(schedule(alpha)) == pytest.approx(float(formula(alpha)), abs=1e-14), alpha
        with jax.enable_x64(True):
            assert float(jax.jit(lambda s, a: s(a))(schedule, alpha)) == pytest.approx(float(formula(alpha)), abs=1e-14)


def test_a_spline_stays_between_its_values() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        values, alphas = rng.uniform(0, 1, 5), np.cumsum(rng.uniform(0.1, 1, 5))
        schedule = ts.Schedule.spline(values, alphas)
        for a, b, low, high in zip(alphas[:-1], alphas[1:], values[:-1], values[1:], strict=True):
            inside = np.array([float(schedule(alpha)) for alpha in np.linspace(a, b, 9)])
            assert inside.min() >= min(low, high) - 1e-15
            assert inside.max() <= max(low, high) + 1e-15


def test_a_schedule_is_said_in_one_line() -> None:
    rate = ts.Schedule.phases((1.0, 10.0), (1.0, 0.1, 5.0))
    assert repr(rate) == "Schedule(1 for 10, then 1 to 0.1 for 5)"
    assert "learning_rate=Schedule(1 for 10, then 1 to 0.1 for 5)" in repr(ts.SGD(rate))
    assert "variances" not in repr(problem(variance=rate).inputs)


# ---- theory


@pytest.mark.slow
@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.long)])
def test_phases_of_any_number_are_problems_one_after_the_other(name: str, compiled: bool) -> None:
    """A jump inside a phase of the curriculum, and one at a recorded alpha."""
    values, ends = np.array([1.0, 0.4, 0.7]) * USUAL[name], [0.0, 1.0, 3.5, END]
    schedule = ts.Schedule.phases(*zip(values, np.diff(ends), strict=True))
    alphas = [0.5, 1.0, 3.0, END]
    whole = ode.solve(problem(**{name: schedule}), START, alphas, compiled=compiled)
    state, last = START, 0.0
    for a, b, value in zip(ends[:-1], ends[1:], values, strict=True):
        pieces = [each for each in (2.0,) if a < each < b]
        for first, end in zip([a, *pieces], [*pieces, b], strict=True):
            order = ts.Curriculum.mixed(
                {"easy": 1.0, "hard": 0.0} if first < 2 else {"easy": 0.3, "hard": 0.7}, end - first
            )
            part = ode.solve(problem(order=order, **{name: value}), state, [end - first])
            state, last = jax.tree.map(lambda x: x[-1], part.overlaps), part.error["hard"][-1]
    for mine, chained in zip(jax.tree.leaves(whole.overlaps), jax.tree.leaves(state), strict=True):
        np.testing.assert_allclose(mine[-1], chained, atol=2e-8)
    assert whole.error["hard"][-1] == pytest.approx(last, abs=2e-8)


def test_a_jump_that_is_stepped_across_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without landing on jumps the error is that of a step which contains one: far above the tolerance."""
    schedule = ts.Schedule.phases((3.0, 1.2345), (0.01, 5.0))
    right = ode.solve(problem(learning_rate=schedule), START, [END])
    monkeypatch.setattr(ode._host_solve, "jumps_of", lambda problem: _host_steps.NONE)
    wrong = ode.solve(problem(learning_rate=schedule), START, [END])
    assert wrong.stats["num_rejected_steps"] > right.stats["num_rejected_steps"] + 5


@pytest.mark.long("constant", "phases", "cosine", "power", "function")
@pytest.mark.slow
def test_host_and_compiled_solves_agree(shape: tuple[ts.Schedule, Callable[[Any], Any]]) -> None:
    each = problem(learning_rate=shape[0], variance=shape[0])
    one, other = (ode.solve(each, START, [1.0, END], compiled=compiled) for compiled in (False, True))
    np.testing.assert_allclose(one.error["hard"], other.error["hard"], atol=1e-8)


@pytest.mark.slow
def test_sampled_averages_read_schedules_too() -> None:
    for compiled in (False, True):
        sampled = ode.solve(all_at_once(), START, [1.0, END], averages=ode.Sampled(2**12, 4), compiled=compiled)
        exact = ode.solve(all_at_once(), START, [1.0, END])
        error = build.given(sampled.sampling_error).error["hard"]
        assert np.all(np.abs(sampled.error["hard"] - exact.error["hard"]) < 5 * error)


def test_the_drift_reads_schedules_at_its_alpha() -> None:
    schedule = ts.Schedule.power(1.0, 1.0, 1.0)
    with jax.enable_x64(True):
        at_two = ode.drift(problem(learning_rate=schedule, noise=schedule), ode.ClosedForm(), 2.0, START)
        plain = ode.drift(problem(learning_rate=1 / 3, noise=1 / 3), ode.ClosedForm(), 2.0, START)
    for mine, wanted in zip(jax.tree.leaves(at_two), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(mine, wanted, atol=1e-14)


def test_other_values_and_other_shapes_of_a_rate_compile_nothing() -> None:
    ode.solve(problem(learning_rate=0.5), START, [1.0, END])
    schedules = [ts.Schedule.power(1.0, 2.0, 1.5), ts.Schedule.power(0.9, 3.0, 1.0), SHAPES["phases"][0]]
    with counted() as count:
        for schedule in schedules:
            ode.solve(problem(learning_rate=schedule), START, [1.0, END])
    assert count == [0]


def test_other_numbers_of_phases_need_no_program_in_batches_and_simulations() -> None:
    def both(schedule: ts.Schedule) -> None:
        ode.solve_many([problem(learning_rate=schedule)] * 2, START, [1.0, END])
        simulations.run(problem(learning_rate=schedule), 200, 2, [1.0], 0, start=START, test_samples=8, progress=False)

    both(ts.Schedule.phases((1.0, 2.0), (0.5, 3.0)))
    with counted() as count:
        both(ts.Schedule.phases((1.0, 2.0), (0.7, 1.0), (0.5, 0.2, 1.0)))
    assert count == [0]


# ---- derivatives


LONG = pytest.mark.long


def _error(numbers: Any, alpha: float = END) -> Any:
    """The last error where every number in `numbers` goes through phases of (values, durations)."""
    schedules = {name: ts.Schedule.phases(*zip(*rows, strict=True)) for name, rows in numbers.items()}
    return ode.solve(problem(**schedules), START, [alpha], rtol=1e-10, atol=1e-12).error["hard"][-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("learning_rate", "readout_learning_rate"), id="rates"),
        pytest.param(("weight_decay", "noise"), id="weight_decay and noise", marks=LONG),
        pytest.param(("variance",), id="variance", marks=LONG),
    ],
)
def test_derivatives_in_values_and_times_of_jumps(names: tuple[str, ...]) -> None:
    """Of each number. One jump lies inside a phase of the curriculum, and one beyond its end moves nothing.

    Numbers in one program jump at times of their own.
    """
    values, durations = np.array([1.0, 0.4, 0.7, 0.1]), np.array([1.0, 2.5, 1.5, 3.0])
    at = {name: (values * USUAL[name], durations + 0.1 * i * np.array([1, 1, -1, 1])) for i, name in enumerate(names)}
    with jax.enable_x64(True):
        found = jax.jit(jax.grad(_error), compiler_options=build.QUICKLY_COMPILED)(at)
    h = 1e-5
    for name, (v, d) in at.items():
        of_values, of_durations = (np.asarray(row) for row in found[name])
        for i in range(4):
            step = h * np.eye(4)[i]
            by_value = (_error(at | {name: (v + step, d)}) - _error(at | {name: (v - step, d)})) / (2 * h)
            by_time = (_error(at | {name: (v, d + step)}) - _error(at | {name: (v, d - step)})) / (2 * h)
            assert of_values[i] == pytest.approx(by_value, abs=2e-6), (name, i)
            assert of_durations[i] == pytest.approx(by_time, abs=2e-6), (name, i)
        assert of_durations[3] == 0.0
        assert abs(of_durations[0]) > 1e-4


@pytest.mark.slow  # without strict promotion of axes
def test_a_solve_does_not_go_through_jumps_that_are_never_reached() -> None:
    """Pieces without duration, in which no step has an error to grow by: a tiny first step would never end them."""
    late = {name: ts.Schedule.phases((USUAL[name], 5.0), (USUAL[name], END), (USUAL[name], 1.0)) for name in NUMBERS}
    with jax.enable_x64(True):
        clock = PhaseClock.of(problem(**late))
        ends = clock.when(jnp.array([END - 1.0, END]))
        np.testing.assert_allclose(clock.alpha(ends[1] - 1e-9), END, atol=1e-8)
        np.testing.assert_allclose([clock.alpha(each) for each in ends], [END - 1.0, END])
    # Phases of the curriculum end at 2 and 6, jumps stand at 5 (each a piece) and beyond 6 (which are left out).
    assert float(ends[1]) == 2 + len(late)


@pytest.mark.long
def test_derivatives_in_a_phase_that_lasts_no_time() -> None:
    """A protocol that begins without a phase has a derivative in it, as a curriculum has."""
    values = np.array([1.0, 2.0, 0.4])

    def of(duration: Any) -> Any:
        return _error({"learning_rate": (values, [2.5, duration, 4.0])})

    with jax.enable_x64(True):
        slope = float(jax.jit(jax.grad(of))(0.0))
        right = (of(np.float64(1e-4)) - of(np.float64(1e-12))) / 1e-4
    assert slope == pytest.approx(float(right), abs=1e-4)
    assert abs(slope) > 1e-3


@pytest.mark.long("at a jump")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "duration", "alpha"),
    [
        # Ends with the run: nothing comes after it.
        pytest.param(
            lambda d: ts.Schedule.phases((1.1, 2.0), (0.5, d)), END - 2.0, END, id="last duration", marks=LONG
        ),
        pytest.param(lambda d: ts.Schedule.cosine(1.5, 0.2, d), END, END, id="cosine", marks=LONG),
        pytest.param(lambda d: ts.Schedule.spline([1.0, 0.5, 0.2], [0.0, 2.0, d]), END, END, id="last knot"),
        # What is recorded at a jump is before it.
        pytest.param(lambda d: ts.Schedule.phases((1.1, d), (0.5, 5.0)), 1.5, 1.5, id="at a jump"),
    ],
)
def test_derivatives_in_times_of_jumps_at_recorded_alphas(schedule: Any, duration: float, alpha: float) -> None:
    """They are those of the side on which the earlier phase goes on."""

    def of(d: Any) -> Any:
        return ode.solve(problem(learning_rate=schedule(d)), START, [alpha], rtol=1e-10, atol=1e-12).error["hard"][-1]

    with jax.enable_x64(True):
        slope = float(jax.grad(of)(duration))
    assert slope == pytest.approx(float(of(duration + 1e-5) - of(duration)) / 1e-5, abs=1e-5)


# ---- simulation


def test_a_step_reads_the_schedule_in_its_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate that is there around (n + 1/2) / N and nowhere else: any other reading learns nothing."""
    N = 200
    comb = ts.Schedule.function(lambda a: jnp.where(jnp.abs(a * N - jnp.floor(a * N) - 0.5) < 0.25, 0.8, 0.0))
    options: dict[str, Any] = {"start": START, "test_samples": 8, "progress": False, "precision": "float64"}
    runs = [
        simulations.run(problem(learning_rate=rate), N, 2, [1.0, 3.0], 0, **options).overlaps.R for rate in (0.8, comb)
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert np.max(np.abs(runs[0][:, -1] - np.asarray(START.R))) > 0.05


def test_runs_stop_learning_where_the_rate_ends() -> None:
    rate = ts.Schedule.phases((0.8, 1.0), (0.0, 5.0))
    plain = problem(learning_rate=rate, readout_learning_rate=0.0)
    for method in ("weights", "overlaps"):
        runs = simulations.run(plain, 200, 2, [0.5, 1.0, 3.0], 0, start=START, method=method, progress=False)
        np.testing.assert_array_equal(runs.overlaps.R[:, 1], runs.overlaps.R[:, 2])
        assert np.any(runs.overlaps.R[:, 0] != runs.overlaps.R[:, 1])


def test_measured_errors_are_those_of_the_variances_then() -> None:
    """With equal keys, the error at alpha is that of a problem whose variance always was what it is then."""
    frozen = {"learning_rate": 0.0, "readout_learning_rate": 0.0}
    changing = problem(variance=ts.Schedule.linear(1.0, 3.0, 2.0), **frozen)
    error = simulations.run(changing, 200, 2, [1.0, 2.0], 0, start=START, progress=False).error["hard"]
    for a, variance in enumerate((2.0, 3.0)):
        then = problem(variance=variance, **frozen)
        wanted = simulations.run(then, 200, 2, [1.0, 2.0], 0, start=START, progress=False).error["hard"]
        np.testing.assert_allclose(error[:, a], wanted[:, a], rtol=1e-5)


def all_at_once(**changed: Any) -> ts.Problem:
    """Every number a schedule, each of another shape."""
    return problem(
        **{
            "learning_rate": ts.Schedule.phases((2.0, 1.5), (2.0, 0.5, 3.0)),
            "readout_learning_rate": ts.Schedule.power(0.6, 2.0, 1.0),
            "weight_decay": ts.Schedule.cosine(0.0, 0.5, 4.0),
            "noise": ts.Schedule.phases((0.6, 3.0), (0.1, 3.0)),
            "variance": ts.Schedule.spline([0.3, 2.0, 1.0], [0.0, 3.0, 6.0]),
        }
        | changed
    )


@pytest.mark.slow
def test_theory_agrees_with_runs_and_a_wrong_schedule_does_not() -> None:
    alphas = [1.0, 2.5, 4.5, END]
    theory = ode.fluctuations(all_at_once(), START, alphas)
    runs = simulations.run(all_at_once(), 500, 48, alphas, 7, start=START, progress=False)
    assert simulations.agreement(theory, runs).agrees
    sabotaged = all_at_once(noise=ts.Schedule.phases((0.1, 3.0), (0.6, 3.0)))
    swapped = dataclasses.replace(ode.fluctuations(sabotaged, START, alphas), problem=theory.problem)
    assert not simulations.agreement(swapped, runs).agrees


@pytest.mark.slow
def test_the_middle_of_a_step_shifts_no_mean_and_another_place_does() -> None:
    """The mean of runs on a steep ramp is the ODE and m1 / N; runs that read the ramp some steps late are found."""
    N, runs = 50, 512
    rates = {
        shift: ts.Schedule.function(lambda a, late: 4.0 * (1 - jnp.maximum(a - late, 0.0)), shift / N)
        for shift in (0.0, 7.0)
    }
    rest: dict[str, Any] = {
        "readout_learning_rate": 0.0,
        "weight_decay": 0.0,
        "order": ts.Curriculum.single("hard", 1.0),
    }
    theory = ode.fluctuations(problem(learning_rate=rates[0.0], **rest), START, [1.0])
    shift = build.given(theory.fluctuations).shift.overlaps.R[-1, 0, 0, 0] / N

    def z(steps: float) -> float:
        steep = problem(learning_rate=rates[steps], **rest)
        R = simulations.run(steep, N, runs, [1.0], 3, start=START, method="overlaps", progress=False).overlaps.R
        mean, error = R[:, -1, 0, 0, 0].mean(), R[:, -1, 0, 0, 0].std(ddof=1) / np.sqrt(runs)
        return float((mean - theory.overlaps.R[-1, 0, 0, 0] - shift) / error)

    assert abs(z(0.0)) < 4
    assert abs(z(7.0)) > 4


# ---- fluctuations and verdicts


@pytest.mark.long
@pytest.mark.slow
def test_every_number_of_a_schedule_has_its_response() -> None:
    alphas = [1.0, 2.5, 4.4]
    theory = ode.fluctuations(all_at_once(), START, alphas)
    fluctuations = build.given(theory.fluctuations)
    responses = build.given(fluctuations.responses)
    entries = responses.entries(build.given(fluctuations.law))
    directions = ts.Directions.of(all_at_once(), START)
    h, K, names = (
        1e-4,
        2,
        [name for name in directions.names if name.startswith(("sgd.", "task.noise", "task.inputs.var"))],
    )
    assert len(names) == len(set(names)) > 15
    for name in names:
        i = directions.names.index(name)
        moved = [
            jax.tree.map(lambda x, d, s=s, i=i: np.asarray(x, float) + s * h * d[i], all_at_once(), directions.problem)
            for s in (1, -1)
        ]
        up, down = (ode.solve(to_host(p), START, alphas, rtol=1e-10, atol=1e-12).overlaps.R for p in moved)
        slope = (up - down).reshape(len(alphas), -1)[:, : 2 * K] / (2 * h)
        mine = entries[:, 2 * K * (K + 1) // 2 :, i][:, : 2 * K]
        np.testing.assert_allclose(mine, slope, atol=2e-6, err_msg=name)
        assert label_of(name) != name


@pytest.mark.slow
def test_a_response_without_its_jump_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "sgd.learning_rate.durations[1]"
    rate = ts.Schedule.phases((2.0, 1.5), (0.5, 3.0))

    def of_theory() -> ts.Responses:
        theory = ode.fluctuations(problem(learning_rate=rate), START, [2.5])
        return build.given(build.given(theory.fluctuations).responses)

    right = of_theory()
    monkeypatch.setattr(_curriculum_responses, "jump_increments", lambda *a: np.zeros(a[-1]))
    wrong = of_theory()
    i = right.names.index(name)
    assert np.max(np.abs(right.increment[..., i] - wrong.increment[..., i])) > 1e-3


def test_numbers_of_schedules_are_called_what_they_are() -> None:
    for name, label in (
        ("sgd.learning_rate", "learning rate"),
        ("sgd.learning_rate[2]", "learning rate in phase 2"),
        ("sgd.learning_rate.durations[2]", "learning rate, duration of phase 2"),
        ("sgd.weight_decay.exponent", "weight decay, exponent"),
        ("sgd.weight_decay.initial", "weight decay, initial value"),
        ("sgd.weight_decay.initial[2]", "weight decay, initial value of phase 2"),
        ("task.noise[1]", "label noise in phase 1"),
        ("task.inputs.variances[hard,unseen]", "variance of unseen (hard)"),
        ("task.inputs.variances[hard,unseen].values[3]", "variance of unseen (hard), value 3"),
        ("task.inputs.variances[hard,unseen][3]", "variance of unseen (hard) in phase 3"),
        ("start.scale", "scale of the start"),
    ):
        assert label_of(name) == label


def test_axes_of_schedules_have_the_labels_of_their_numbers() -> None:
    assert axis_label("sgd.learning_rate.power.exponent") == r"learning rate $\eta$, exponent"
    assert axis_label("task.noise.spline.values.2") == r"output noise $\sigma$, values 2"
    assert axis_label("task.levels.hard.b.phases.1.0") == r"variance $\Delta$ (hard, b), phase 2, entry 1"
    assert axis_label("task.levels.hard.b") == r"variance $\Delta$ (hard, b)"


# ---- fixed points and equations


def test_fixed_points_are_those_of_the_rates_at_their_time() -> None:
    teacher = ts.Committee(ts.Inputs({"all": 1.0}), 1, noise=0.3)
    order = ts.Curriculum.single("all", 4.0)
    annealed = ts.Problem(teacher, ts.Student(1), ts.SGD(ts.Schedule.linear(2.0, 0.5, 3.0)), order)
    plain = ts.Problem(teacher, ts.Student(1), ts.SGD(0.5), order)
    mine, wanted = (ode.fixed_points(each)[0].error["all"] for each in (annealed, plain))
    assert mine == pytest.approx(wanted, rel=1e-9)


def test_derived_equations_have_a_symbol_for_a_schedule() -> None:
    schedule = ts.Schedule.power(1.0, 1.0, 1.0)
    teacher = ts.Committee(ts.Inputs({"all": 1.0}), 1)
    order = ts.Curriculum.single("all", 4.0)
    annealed, plain = (ts.Problem(teacher, ts.Student(1), ts.SGD(rate), order) for rate in (schedule, 0.25))
    start = ts.random_overlaps(plain, dim=100, key=0)
    equations = ode.derive.equations(annealed)
    assert r"\eta" in equations.latex
    assert equations.evaluate(start, alpha=3.0) == pytest.approx(ode.derive.equations(plain).evaluate(start))


# ---- files


def saved_rate(alpha: Any, scale: Any) -> Any:
    """A schedule that files can name."""
    return 1.0 / (1.0 + alpha / scale)


def test_problems_with_schedules_come_back_from_their_tables() -> None:
    function = ts.Schedule.function(saved_rate, 2.0)
    for shape in (*(schedule for name, (schedule, _) in SHAPES.items() if name != "function"), function):
        whole = problem(learning_rate=shape, noise=shape, variance=shape)
        tables = ts.problem_to_tables(whole)
        assert ts.problem_from_tables(json.loads(json.dumps(tables))) == whole
    levels = {"all": {"separation": 2.0, "plane_variance": SHAPES["power"][0], "rest_variance": 1.0}}
    mixture = ts.Problem(ts.XorMixture(levels), ts.Student(4), ts.SGD(0.5), ts.Curriculum.single("all", END))
    assert ts.problem_from_tables(json.loads(json.dumps(ts.problem_to_tables(mixture)))) == mixture


def test_the_numbers_of_a_schedule_are_axes_of_a_sweep() -> None:
    rate = {"power": {"initial": 1.0, "scale": 2.0, "exponent": 1.0}}
    decay = {"phases": [[0.1, 1.0], [0.3, 1.0]]}
    base = {
        "task": {"fractions": {"all": 1.0}, "width": 1},
        "student": {"width": 1},
        "sgd": {"learning_rate": rate, "weight_decay": decay},
        "curriculum": {"phases": [["all", 2.0]]},
        "start": {"Q": [[[0.25]]], "R": [[[0.01]]], "T": [[[0.3]]]},
        "record": {"alphas": [2.0]},
    }
    axes = {
        "exponent": {"sgd.learning_rate.power.exponent": [0.5, 1.5]},
        "decay": {"sgd.weight_decay.phases.1.0": [0.0, 0.3]},
    }
    swept = figures.sweep(base, axes, ["error"], workers=0, progress=False)
    start = ts.Overlaps([[[0.25]]], [[[0.01]]], [[[0.3]]])
    for i, exponent in enumerate((0.5, 1.5)):
        for j, decay_later in enumerate((0.0, 0.3)):
            sgd = ts.SGD(
                ts.Schedule.power(1.0, 2.0, exponent), weight_decay=ts.Schedule.phases((0.1, 1.0), (decay_later, 1.0))
            )
            task = ts.Committee(ts.Inputs({"all": 1.0}), 1)
            cell = ts.Problem(task, ts.Student(1), sgd, ts.Curriculum.single("all", 2.0))
            wanted = ode.solve(cell, start, [2.0]).error["all"][-1]
            assert float(swept["error"].sel(engine="theory").squeeze()[i, j]) == pytest.approx(wanted, abs=1e-7)


def test_the_explorer_leaves_schedules_as_the_file_has_them() -> None:
    tables = ts.problem_to_tables(all_at_once()) | {"start": {}}
    assert {control.path for control in rates(tables)} == {("start", "scale")}
    assert ("task", "levels", "easy", "unseen") in {control.path for control in inputs(tables)}
    assert not [control for control in inputs(tables) if "spline" in control.path]


def test_a_result_keeps_its_schedules_and_runs_no_function_of_a_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stranger.py").write_text("def rate(alpha):\n    return 1.0 / (1.0 + alpha)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import stranger

    theory = ode.solve(problem(learning_rate=ts.Schedule.function(stranger.rate)), START, [END])
    theory.save(tmp_path / "theory.nc")
    del sys.modules["stranger"], stranger
    with pytest.warns(UserWarning, match="stranger:rate, which is not trusted"):
        opaque = ts.Trajectory.load(tmp_path / "theory.nc")
    assert "stranger" not in sys.modules
    np.testing.assert_array_equal(opaque.error["hard"], theory.error["hard"])
    with pytest.raises(ts.InputError, match="stranger:rate"):
        ode.solve(opaque.problem, START, [END])
    again = ts.Trajectory.load(tmp_path / "theory.nc", trust="stranger")
    np.testing.assert_allclose(ode.solve(again.problem, START, [END]).error["hard"], theory.error["hard"])


# ---- what is refused

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "negative": (
        lambda: problem(learning_rate=ts.Schedule.linear(1.0, -1.0, 4.0)),
        r"finite values >= 0 of the schedule sgd",
    ),
    "negative before a jump": (
        lambda: problem(noise=ts.Schedule.phases((1.0, -1e-3, 2.0), (1.0, 1.0))),
        r"finite values >= 0 of the schedule task.noise",
    ),
    "negative variance": (
        lambda: problem(variance=ts.Schedule.linear(1.0, -1.0, 4.0)),
        r">= 0 of the schedule task.inputs",
    ),
    "not finite": (
        lambda: problem(weight_decay=ts.Schedule.function(lambda a: jnp.log(a - 1))),
        r"schedule sgd.weight_decay",
    ),
    "nan": (lambda: ts.Schedule.linear(1.0, float("nan"), 4.0), r"finite numbers for values of a schedule; got"),
    "no duration": (lambda: ts.Schedule.phases((1.0, 0.0)), r"durations of a schedule > 0"),
    "no phases": (lambda: ts.Schedule.phases(), r"at least one phase in the schedule; got: none"),
    "no phase": (lambda: ts.Schedule.phases(1.0), r"each phase as \(value, duration\)"),  # type: ignore[arg-type]
    "no scale": (lambda: ts.Schedule.power(1.0, 0.0, 1.0), r"scale of a schedule \(in alpha\) > 0"),
    "a list": (lambda: ts.Schedule.power([1.0, 2.0], 1.0, 1.0), r"one number for initial of a schedule"),
    "a schedule of no shape": (lambda: ts.Schedule(), r"a shape of schedule, such as ts.Schedule.power"),
    "a word as time": (lambda: SHAPES["power"][0]("late"), r"numbers for alpha; got: 'late'"),
    "a problem at no time": (lambda: problem().at(float("nan")), r"finite numbers for alpha"),
    "a problem before the start": (lambda: problem().at(-1.0), r"alpha >= 0; got: -1"),
    "a problem at several times": (lambda: problem().at([1.0, 2.0]), r"one number for alpha"),
    "one knot": (lambda: ts.Schedule.spline([1.0], [0.0]), r"two at least; got: 1 and 1"),
    "knots back": (lambda: ts.Schedule.spline([1.0, 2.0], [1.0, 0.0]), r"increasing alphas of a spline"),
    "no function": (lambda: ts.Schedule.function(3), r"a JAX function of alpha as a schedule; got: 3"),  # type: ignore[arg-type]
    "two numbers": (
        lambda: ts.Schedule.function(lambda a: jnp.ones(2)),
        r"one number as the value of a schedule's function",
    ),
    "a broken function": (lambda: ts.Schedule.function(lambda a: 1 / 0), r"ZeroDivisionError"),
    "a table of two shapes": (
        lambda: _with_rate({"power": {"initial": 1.0, "scale": 1.0, "exponent": 1.0}, "phases": [[1.0, 1.0]]}),
        r"one shape of a schedule .*; got: phases, power",
    ),
    "a misspelt shape": (lambda: _with_rate({"powr": {}}), r"'powr'.*did you mean 'power'"),
    "a missing number": (lambda: _with_rate({"power": {"initial": 1.0, "scale": 1.0}}), r"'exponent'"),
    "a word": (
        lambda: _with_rate({"power": {"initial": "high", "scale": 1.0, "exponent": 1.0}}),
        r"'high' is not a number",
    ),
    "a long phase": (lambda: _with_rate({"phases": [[1.0, 2.0, 3.0, 4.0]]}), r"each phase as \[value, duration\]"),
    "no address": (lambda: _with_rate({"function": {"name": "exp"}}), r'"module:name"'),
    "one step": (
        lambda: simulations.sgd_step(problem(learning_rate=SHAPES["power"][0]), None, None),  # type: ignore[arg-type]
        r"a problem at one time for one step of SGD; got: a schedule of sgd.learning_rate; take problem.at",
    ),
    "a test": (
        lambda: simulations.test(problem(noise=SHAPES["power"][0]), None, 3, 0),  # type: ignore[arg-type]
        r"a problem at one time to test weights on",
    ),
    "observed": (
        lambda: ode.observe(problem(variance=SHAPES["power"][0]), START, None),
        r"a problem at one time to observe; got: a schedule of task.inputs.variances",
    ),
    "a lambda in a file": (
        lambda: ts.problem_to_tables(problem(learning_rate=SHAPES["function"][0])),
        r"a schedule whose function can be imported again",
    ),
}


def _with_rate(entry: Any) -> ts.Problem:
    tables = ts.problem_to_tables(problem())
    return ts.problem_from_tables(tables | {"sgd": tables["sgd"] | {"learning_rate": entry}})


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_schedule_is_refused_in_one_line(case: str) -> None:
    make, words = REFUSED[case]
    with pytest.raises(ts.InputError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)
