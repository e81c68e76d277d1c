"""The study of curricula on images: its statements find what is there, and its orders are what they are called."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import xarray as xr

import simulations
import teacher_student as ts
from figures import atlas
from figures.atlas.images_study import _contrasts, _digits, _plan, _train, _universality, _xor

WIDTHS = {"xor": (4, 8, 16, 32), "softmax": (16, 64, 256, 1024)}
BUDGETS = (20.0, 40.0, 80.0)
RUNS = 24
DIMS = ("width", "budget", "order", "run")

Gain = Callable[[int, float], float]  # of the width's place, 0 for the narrowest, and the budget


def study(gain: Gain, order: str = "easy to hard", *, spread: float = 0.02, seed: int = 0) -> dict[str, xr.Dataset]:
    """Return data sets as of `images_data` and `softmax_data`, in which `gain` of an order is true of everything.

    Wide students have fewer runs, and runs differ by more than the gain, as those of images do.
    """
    generator = np.random.default_rng(seed)
    found = {}
    for part, widths in WIDTHS.items():
        coords: dict[str, Any] = {"width": list(widths), "budget": list(BUDGETS), "order": list(_plan.ORDERS)}
        shape = len(widths), len(BUDGETS), len(_plan.ORDERS), RUNS
        sources = [source for source in _contrasts.SOURCES if (source == "softmax") == (part == "softmax")]
        arrays = {}
        for source in sources:
            values = 0.7 + 0.1 * generator.standard_normal((len(widths), 1, 1, RUNS)) + np.zeros(shape)
            values += spread * generator.standard_normal(shape)
            for w in range(len(widths)):
                for b, budget in enumerate(BUDGETS):
                    values[w, b, list(_plan.ORDERS).index(order)] += gain(w, budget)
                values[w, ..., RUNS - 4 * w :] = np.nan
            arrays[source] = (DIMS, values)
        found[part] = xr.Dataset(arrays, coords | {"run": range(RUNS)})
    return found


def families(data: dict[str, xr.Dataset]) -> list[_contrasts.Family]:
    return _contrasts.families(_contrasts.accuracies(data["xor"], data["softmax"]))


def words(data: dict[str, xr.Dataset], order: str, pool: str = "all budgets") -> set[str]:
    """Return what is said of an order, of all four accuracies."""
    return {each.words for each in families(data) if (each.narrow.order, each.narrow.pool) == (order, pool)}


CASES: dict[str, Gain] = {
    "helps narrow students, and the gain shrinks with width": lambda w, _: 0.08 - 0.025 * w,
    "helps narrow students, and no trend is seen": lambda w, _: 0.04,
    "helps narrow students, and the gain grows with width": lambda w, _: 0.03 + 0.03 * w,
    "helps narrow students, and harms wide ones": lambda w, _: 0.09 - 0.06 * w,
    "harms narrow students, and the harm shrinks with width": lambda w, _: -0.08 + 0.025 * w,
    "harms wide students alone": lambda w, _: -0.06 * (w > 1),
    "no effect is seen": lambda w, _: 0.0,
}


@pytest.mark.parametrize("name", CASES)
def test_a_family_says_what_is_true_of_it(name: str) -> None:
    data = study(CASES[name])
    assert words(data, "easy to hard") == {name}
    assert words(data, "hard to easy") == {"no effect is seen"}


def test_orders_that_are_swapped_are_noticed() -> None:
    """What is true of one order must not be said of the other: with the names exchanged, the first test fails."""
    name = "helps narrow students, and the gain shrinks with width"
    data = study(CASES[name])
    swapped = {"easy to hard": "hard to easy", "hard to easy": "easy to hard"}
    names = [swapped.get(order, order) for order in _plan.ORDERS]
    exchanged = {part: dataset.assign_coords(order=names) for part, dataset in data.items()}
    assert words(exchanged, "easy to hard") == {"no effect is seen"}
    assert words(exchanged, "hard to easy") == {name}


def test_a_gain_that_changes_sign_with_the_budget_has_its_own_statements() -> None:
    data = study(lambda w, budget: 0.06 if budget == 20 else -0.06 if budget == 80 else 0.0)
    assert words(data, "easy to hard", "the scarce budget") == {"helps narrow students, and no trend is seen"}
    assert words(data, "easy to hard", "the ample budget") == {"harms narrow students, and no trend is seen"}
    assert words(data, "easy to hard") == {"no effect is seen"}


def test_data_without_an_effect_are_rarely_said_to_have_one() -> None:
    """10 studies of 72 statements: at a family-wise 1 %, more than 1 with a statement has probability 4e-3."""
    wrong = sum(
        any(one.sign for each in families(study(CASES["no effect is seen"], seed=seed)) for one in each.statements)
        for seed in range(1, 11)
    )
    assert wrong <= 1


def test_budgets_of_one_run_are_not_taken_for_independent_ones() -> None:
    """The same gain of a run at every budget: averaging leaves its scatter, and not a third of its variance."""
    data = study(CASES["no effect is seen"])["xor"]
    one = data.isel(budget=[0, 0, 0]).assign_coords(budget=list(BUDGETS))
    gain = _contrasts.gains(one["images"], "easy to hard")
    pooled = _contrasts.mean_and_error(_contrasts.pooled(gain, "all budgets"))
    alone = _contrasts.mean_and_error(_contrasts.pooled(gain, "the scarce budget"))
    for first, second in zip(pooled, alone, strict=True):
        np.testing.assert_allclose(first, second)


def test_theory_is_compared_run_by_run() -> None:
    data = study(CASES["no effect is seen"])["xor"]
    shifted = data.assign(theory=data["images"] - 0.01 * (data["order"] == "hard to easy"))
    points = list(_universality.compared(shifted))
    assert len(points) == 4 * len(WIDTHS["xor"]) * len(BUDGETS)
    for point in points:
        true = 0.01 if point.order == "hard to easy" else 0.0
        assert point.difference[0] == pytest.approx(true)
        assert point.scatter == pytest.approx(true)
        assert point.sgd[1] > 0


def test_the_orders_have_the_shares_that_they_are_called_by() -> None:
    task = ts.XorMixture({"easy": _level(0.1), "hard": _level(1.0)})
    halves = {"easy to hard": (1, 0), "hard to easy": (0, 1), "mixed": (0.5, 0.5), "hard only": (0, 0)}
    for order, shares in halves.items():
        curriculum = _plan.problem_of(task, 4, order, 20.0).curriculum
        for alpha, easy in zip((1.0, 9.0, 11.0, 19.0), np.repeat(shares, 2), strict=True):
            np.testing.assert_allclose(curriculum.shares(alpha), [easy, 1 - easy])


def _level(variance: float) -> dict[str, float]:
    return {"separation": 1.0, "plane_variance": 0.1, "rest_variance": variance}


SIZES = _plan.Softmax(runs={3: 1}, budgets=(1.0,), batch=4, rate=0.05, tests=2)


def made_up_digits() -> _digits.TenDigits:
    """Three classes of 6 pixels."""
    generator = np.random.default_rng(3)
    labels = np.arange(40) % 3
    images = (np.eye(6)[labels] + 0.1 * generator.standard_normal((40, 6))).astype(np.float32)
    return _digits.TenDigits(images[:32], labels[:32], images[32:], labels[32:], {"easy": 0.1, "hard": 2.0})


def by_hand(digits: _digits.TenDigits, easy_at: Callable[[int], float]) -> list[np.ndarray]:
    """Return the weights after two passes, step by step, with gradients written out."""
    W, b, V, c = (np.asarray(x, np.float64) for x in _train._start(jax.random.key(1), 3, 6, 3))
    rows = np.asarray(_train._rows(jax.random.key(2), 32, SIZES.batch, 16))
    for number, row in enumerate(rows):
        level, noise = jax.random.split(jax.random.fold_in(jax.random.key(3), number))
        easy = np.asarray(jax.random.uniform(level, row.shape)) < easy_at(number)
        xi = np.asarray(jax.random.normal(noise, (row.size, 6)))
        x = digits.images[row] + np.where(easy, 0.1, 2.0)[:, None] * xi
        fields = x @ W + b
        hidden = np.maximum(fields, 0)
        powers = np.exp(hidden @ V + c)
        error = powers / powers.sum(axis=1, keepdims=True) - np.eye(3)[digits.labels[row]]
        back = error @ V.T * (fields > 0)
        slopes = x.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0)
        W, b, V, c = (p - SIZES.rate * s / row.size for p, s in zip((W, b, V, c), slopes, strict=True))
    return [W, b, V, c]


def test_every_order_trains_on_its_own_levels() -> None:
    """The network of each order against steps that are written out, with the levels that its name says."""
    digits = made_up_digits()
    seen: dict[str, Callable[[int], float]] = {
        "easy to hard": lambda n: float(n < 8),
        "hard to easy": lambda n: float(n >= 8),
        "mixed": lambda n: 0.5,
        "hard only": lambda n: 0.0,
    }
    shares = _train.shares_of(16)
    rows = _train._rows(jax.random.key(2), 32, SIZES.batch, 16)
    parts = (digits.images, digits.labels, rows, shares, (0.1, 2.0), SIZES.rate, jax.random.key(3))
    ends = _train._steps(_train._start(jax.random.key(1), 3, 6, 3), *parts)
    for place, order in enumerate(_plan.ORDERS):
        for found, true in zip(ends, by_hand(digits, seen[order]), strict=True):
            np.testing.assert_allclose(found[place], true, atol=1e-5)
    assert not np.allclose(ends[0][0], ends[0][1], atol=1e-2)  # the first two orders do differ


def test_a_pass_shows_every_image_once() -> None:
    rows = np.asarray(_train._rows(jax.random.key(0), 32, 4, 16)).reshape(2, -1)
    assert [sorted(row) for row in rows.tolist()] == [list(range(32))] * 2
    assert not np.array_equal(rows[0], rows[1])


def test_digits_that_differ_are_learnt() -> None:
    keys = jax.random.split(jax.random.key(5), 3)
    digits = dataclasses.replace(made_up_digits(), noise={"easy": 0.1, "hard": 0.3})
    accuracy = _train.trained(digits, dataclasses.replace(SIZES, rate=0.3), 8, 30.0, keys)
    assert accuracy.shape == (4,)
    assert np.all(accuracy > 0.8)


def _small(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Points of made-up numbers, which cost nothing; return the list of what is computed."""
    computed: list[str] = []

    def made(name: str, arrays: tuple[str, ...], plan: _plan.Plan, width: int) -> xr.Dataset:
        computed.append(name)
        shape = len(_plan.ORDERS), plan.runs[width]
        values = np.full(shape, float(width))
        return xr.Dataset({array: (("order", "run"), values) for array in arrays}, _xor._coords(shape[1]))

    def simulated(plan: _plan.Plan, pairs: Any, K: int, budget: float, *, progress: bool) -> xr.Dataset:
        if len(computed) == 4:
            raise KeyboardInterrupt
        return made(f"sgd {K} {budget:g}", ("images", "held_out"), plan, K)

    def predicted(plan: _plan.Plan, pairs: Any, K: int, budget: float) -> xr.Dataset:
        return made(f"theory {K} {budget:g}", ("theory",), plan, K)

    for name, function in (("simulated", simulated), ("predicted", predicted), ("pairs_of", lambda plan: None)):
        monkeypatch.setattr(_xor, name, function)
    return computed


def _quiet(line: str) -> None:
    """Say nothing."""


def test_an_interrupted_study_goes_on_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = _small(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        atlas.images_data(tmp_path, quick=True, say=_quiet, progress=False)
    assert len(computed) == 4
    computed.append("the interruption")
    data = atlas.images_data(tmp_path, quick=True, say=_quiet, progress=False)
    assert len(set(computed)) == len(computed) == 2 * 2 * 2 + 1
    assert data["images"].dims == DIMS
    assert data["theory"].mean(("budget", "order", "run")).values.tolist() == [4.0, 8.0]
    with pytest.raises(ts.InputError, match="of other sizes or of another study") as caught:
        atlas.images_data(tmp_path, quick=True, seed=5, say=_quiet, progress=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("compute", [atlas.images_data, atlas.softmax_data])
def test_without_digits_there_is_one_line(
    compute: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ts.InputError, match=r'pip install "\.\[data\]"') as caught:
        compute(tmp_path, quick=True, say=_quiet)
    assert "\n" not in str(caught.value)


def test_text_and_picture_are_of_the_data(tmp_path: Path) -> None:
    data = study(CASES["helps narrow students, and harms wide ones"])
    text = atlas.images_text(data["xor"], data["softmax"])
    assert "XOR of digits: 24 runs of K = 4, 20 runs of K = 8, 16 runs of K = 16, 12 runs of K = 32" in text
    assert text.count("easy to hard, all budgets: helps narrow students, and harms wide ones") == 4
    assert text.count("yes (p = ") == 8
    assert "72 statements" in text
    figure = atlas.images(data["xor"], data["softmax"])
    assert len(figure.axes) == 6
    figure.savefig(tmp_path / "picture.pdf")
    with pytest.raises(ts.InputError, match="data of the figure images"):
        atlas.images(data["softmax"], data["xor"])


@pytest.mark.slow
def test_all_orders_of_a_run_have_the_same_start_images_and_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two orders of the same levels give the same accuracies, run by run."""
    generator = np.random.default_rng(6)
    inputs = np.concatenate([generator.standard_normal((20, 8)) * 0.3 + shift for shift in (-1.0, 1.0)])
    data = simulations.Dataset(inputs, np.repeat([0, 1], 20), _plan.NOISE)
    fit = simulations.fit_mixture(data, {0: 1, 1: -1}, alone=1, ratio=100.0)
    plan = dataclasses.replace(_plan.QUICK, runs={2: 3}, budgets=(5.0, 10.0), tests=256)
    for module in (_plan, _xor):
        monkeypatch.setattr(module, "ORDERS", {"one": (0.5, 0.5), "the same": (0.5, 0.5)})
    found = _xor.simulated(plan, _digits.Pairs(fit, fit.data), 2, 10.0)
    for source in ("images", "held_out"):
        first, second = (found[source].sel(order=order).values for order in ("one", "the same"))
        np.testing.assert_array_equal(first, second)
        assert np.ptp(first) > 0
