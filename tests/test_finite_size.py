"""The finite-size figure: its fits on data whose answer is known, its shipped data, and sabotage of both."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from figures import atlas
from figures.atlas._power_law import log_power_law
from figures.atlas.finite_size_study._study import first_below

pytestmark = pytest.mark.slow  # most of its time is compilation

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "atlas" / "finite-size"
DIMS = np.array([100, 300, 1000, 10_000, 1_000_000])


def signals(p: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two quantities 3 N^-p and -5 N^-p with correlated errors that hide them at large N."""
    rng = np.random.default_rng(seed)
    covariances = np.array([[1.0, 0.6], [0.6, 1.0]]) * (1e-5 / DIMS)[:, None, None]
    noise = np.einsum("nqp,np->nq", np.linalg.cholesky(covariances), rng.normal(size=(DIMS.size, 2)))
    return np.outer(100 ** (p - 1) * DIMS**-p, [3.0, -5.0]) + noise, covariances


def test_intervals_of_exponents_cover_the_truth_and_nothing_else() -> None:
    """95 % intervals hold the exponent in 172 to 198 of 200 trials (by chance missed: 0.1 %), never 2 for 1."""
    found = [atlas.power_law(DIMS, *signals(1.0, seed)) for seed in range(200)]
    low, high = stats.binom.ppf([5e-4, 1 - 5e-4], 200, 0.95)
    assert low <= sum(each.low <= 1 <= each.high for each in found) <= high
    assert max(each.high for each in found) < 2
    assert all(each.low > 1 for each in (atlas.power_law(DIMS, *signals(2.0, seed)) for seed in range(20)))


def test_a_signal_that_is_all_noise_has_no_exponent() -> None:
    noise, covariances = (signals(1.0, 1)[0] - signals(1.0, 2)[0]) / np.sqrt(2), signals(1.0, 1)[1]
    found = atlas.power_law(DIMS, noise, covariances)
    assert found.high - found.low > 1


def test_logarithms_are_fitted_by_straight_lines() -> None:
    rng, covariances = np.random.default_rng(0), 1e-4 * np.broadcast_to(np.eye(2), (DIMS.size, 2, 2))
    found = []
    for _ in range(200):
        logs = np.array([1.0, -2.0]) - np.log(DIMS)[:, None] + 1e-2 * rng.normal(size=(DIMS.size, 2))
        found.append(log_power_law(DIMS, logs, covariances))
    low, high = stats.binom.ppf([5e-4, 1 - 5e-4], 200, 0.95)
    assert low <= sum(each.low <= 1 <= each.high for each in found) <= high
    assert np.mean([each.chi2 for each in found]) == pytest.approx(found[0].freedom, rel=0.1)


def test_first_passage_is_interpolated() -> None:
    alphas = np.array([1.0, 2.0, 3.0])
    assert first_below(alphas, np.array([4.0, 3.0, 1.0]), 2.0) == 2.5
    assert first_below(alphas, np.array([4.0, 3.0, 2.5]), 2.0) == np.inf


@pytest.fixture(scope="module")
def data() -> dict[str, xr.Dataset]:
    return {name: xr.load_dataset(FOLDER / f"{name}.nc", engine="netcdf4") for name in ("deviation", "escape")}


def test_shipped_exponents_and_amplitudes_are_those_of_theory(data: dict[str, xr.Dataset]) -> None:
    """Mean and variance fall like 1/N, with the amplitudes of `ode.fluctuations` within 5 %; sabotage is found out."""
    found = data["deviation"]
    alpha = float(found["alpha"][-1])
    for fit in (atlas.mean_exponent(found, alpha), atlas.variance_exponent(found, alpha)):
        assert fit.low <= 1 <= fit.high
    shift, variance = atlas.shift_amplitude(found, alpha), atlas.variance_amplitude(found, alpha)
    assert abs(shift.ratio - 1) < stats.norm.isf(0.0025) * shift.se
    assert abs(variance.ratio - 1) < 0.05
    scale = found["dim"][0] / found["dim"]
    steep = found.assign(covariance=found["covariance"] * scale)
    assert atlas.variance_exponent(steep, alpha).low > 1.5
    ignored = found.assign(deviation=found["deviation"] - found["shift"] / found["dim"])
    without = atlas.shift_amplitude(ignored, alpha)
    assert abs(without.ratio) < stats.norm.isf(0.0025) * without.se < 0.5
    assert without.p < 1e-6
    assert atlas.variance_amplitude(found.assign(fluctuation=1.2 * found["fluctuation"]), alpha).p < 1e-6


def test_the_escape_time_grows_like_half_the_logarithm_over_the_growth_rate(data: dict[str, xr.Dataset]) -> None:
    """The slope's 99 % interval holds 1 / (2 lambda), and not 1 / lambda, that of an asymmetry of order 1/N."""
    fit, predicted = atlas.escape_fit(data["escape"]), 1 / (2 * data["escape"].attrs["growth"])
    half = (fit.slope_high - fit.slope_low) / 2 * stats.norm.isf(0.005) / stats.norm.isf(0.025)
    assert abs(fit.slope - predicted) < half
    assert abs(fit.slope - 2 * predicted) > half


def test_shipped_caption_holds_the_numbers_of_the_data(data: dict[str, xr.Dataset]) -> None:
    drawn = atlas.named_figure("finite-size", FOLDER, say=lambda line: pytest.fail(f"computes: {line}"))
    assert (ROOT / "docs" / "finite_size.txt").read_text().startswith(atlas.finite_size_text(**data))
    assert drawn.caption.startswith(atlas.finite_size_text(**data))
    assert len(drawn.figure.axes) == 3
