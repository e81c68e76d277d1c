"""What diverged or stopped early says so in one clear line, in every class of results. Warnings are errors here."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import figures
import ode
import simulations
import teacher_student as ts
from figures.sweeps import CellStatus

from . import build

pytestmark = pytest.mark.filterwarnings("error")
ALPHAS = [0.1, 0.5, 5.0, 10.0]
BEYOND = 1e200  # a learning rate at which the first step overflows
START = build.overlaps(build.problem(blocks=1, K=1, M=1))


def linear(rate: float, K: int = 1) -> ts.Problem:
    """A student that diverges above a rate of about 2."""
    readout = (1.0, 1.0)[:K]
    sgd: dict[str, Any] = {"learning_rate": rate, "readout_learning_rate": 0.0, "weight_decay": 0.0}
    return build.problem(blocks=1, K=K, M=K, student="linear", readout=readout, **sgd)


def theory(rate: float = 8.0, **options: Any) -> ts.Trajectory:
    return ode.solve(linear(rate), START, ALPHAS, **options)


def runs(rate: float = 8.0) -> ts.Trajectory:
    return simulations.run(linear(rate), 20, 3, ALPHAS, 0, start=START, test_samples=16, progress=False)


STOPPED: dict[str, tuple[Callable[[], ts.Trajectory], str]] = {
    "theory": (theory, "diverged (a student norm left the bound, or is no number) at alpha 1."),
    "sampled theory": (lambda: theory(averages=ode.Sampled(2**8, 2)), "diverged"),
    "theory at once": (lambda: theory(BEYOND), "diverged (a student norm left the bound, or is no number) at alpha 0"),
    "sampled theory at once": (lambda: theory(BEYOND, averages=ode.Sampled(2**8, 2)), "diverged"),
    "theory without steps": (lambda: theory(max_steps=1), "too stiff (its steps ran out, or became too short) at"),
    "runs": (runs, "3 of 3 runs diverged (a student norm left the bound, or is no number) at alpha 0.5"),
    "runs at once": (lambda: runs(1e30), "3 of 3 runs diverged"),
}


@pytest.mark.parametrize("name", STOPPED)
def test_a_trajectory_that_stopped_prints_draws_and_is_saved(name: str, tmp_path: Path) -> None:
    make, words = STOPPED[name]
    stopped = make()
    assert np.all(stopped.status != ts.Status.OK)
    for text in (repr(stopped), stopped.describe()):
        assert words in text
        assert len(text.splitlines()) == 1
    assert "stopped before alpha 10, the last of 4: " in stopped.describe()
    figure, axes = stopped.plot()
    figure.canvas.draw()
    assert any(words.split(" (")[0] in text.get_text() for text in axes[0].get_legend().get_texts())
    loaded = ts.Trajectory.load(stopped.save(tmp_path / "stopped.nc"))
    assert loaded.describe() == stopped.describe()


def test_where_steps_ran_out_it_is_said_what_to_do() -> None:
    """As with a duration of 1e10, of which 100,000 steps do not reach the end."""
    theory = STOPPED["theory without steps"][0]()
    remedy = "; end the alphas before that, or raise rtol and atol, or max_steps of ode.solve. "
    assert f"at alpha {theory.reached:.6g}{remedy}" in theory.describe()
    assert remedy not in STOPPED["theory"][0]().describe()
    with pytest.raises(ts.InputError, match=r"its steps ran out.*or max_steps of ode\.solve"):
        ode.fluctuations(linear(0.5), START, ALPHAS, max_steps=3)


def test_what_was_solved_is_said_with_its_error() -> None:
    exact, sampled = theory(0.5), theory(0.5, averages=ode.Sampled(2**8, 2))
    easy = exact.error["easy"][-1]
    assert exact.describe().startswith(
        f"The theory of K=1, M=1 (closed form) reached alpha 10, the last of 4. Last error: easy {easy:.5g}, hard "
    )
    assert sampled.sampling_error is not None
    error = f"easy {sampled.error['easy'][-1]:.5g} +- {sampled.sampling_error.error['easy'][-1]:.1g}, "
    assert f"(sampled, 2 x 256 points) reached alpha 10, the last of 4. Last error: {error}" in sampled.describe()
    simulated = runs(0.5)
    errors = simulated.error["easy"][:, -1]
    stated = f"easy {errors.mean():.5g} +- {errors.std(ddof=1) / np.sqrt(3):.1g}, "
    assert f"The simulation of K=1, M=1 at N=20 (3 runs) reached alpha 10, the last of 4. Last error: {stated}" in (
        simulated.describe()
    )
    assert " reached alpha 0.1. Last" in exact.at([0.1]).describe()
    assert "1 alpha up to 0.1, ok" in repr(exact.at([0.1]))


def test_a_budget_says_where_theory_stopped() -> None:
    assert "up to where theory stopped: diverged (" in repr(theory(averages=ode.Sampled(2**8, 2)).budget())
    assert "stopped" not in repr(theory(0.5).budget())
    with pytest.raises(ts.InputError, match=r"a theory that recorded something.*got: diverged"):
        theory(BEYOND).budget()


def test_an_agreement_says_what_diverged_and_draws_the_rest() -> None:
    verdict = simulations.agreement(theory(), runs())
    assert "up to alpha 0.5 of 10, where the first diverged" in repr(verdict)
    for words in ("note: theory: diverged (", "note: simulation at N = 20: 3 of 3 runs diverged ("):
        assert words in verdict.table
    assert "nan" not in (verdict.table + verdict.to_json()).lower()
    verdict.plot()[0].canvas.draw()
    for first, second in ((theory(BEYOND), runs(BEYOND)), (theory(max_steps=1), runs())):
        with pytest.raises(ts.InputError, match="a recorded alpha > 0 before theory or a run diverges"):
            simulations.agreement(first, second)


def test_a_comparison_that_diverged_says_so_and_is_drawn(tmp_path: Path) -> None:
    said: list[str] = []
    options: dict[str, Any] = {"dim": 20, "runs": 3, "test_samples": 16, "progress": False}
    found = figures.compare(linear(8.0), START, ALPHAS, out=tmp_path, say=said.append, **options)
    assert any("3 of 3 runs diverged" in line for line in said)
    assert repr(found).count("diverged (") == 2
    found.plot()[0].canvas.draw()
    assert {"report", "theory", "simulation", "png", "pdf"} <= set(found.paths)
    assert "nan" not in found.report.lower()
    with pytest.raises(ts.InputError, match="a recorded alpha > 0 before theory or a run diverges"):
        figures.compare(linear(BEYOND), START, ALPHAS, say=said.append, **options)


SYMMETRIC = ts.Overlaps([[[0.1, 0.05], [0.05, 0.1]]], [[[0.01, 0.011], [0.011, 0.01]]], np.eye(2)[None])
NOWHERE: dict[str, tuple[Callable[[], object], str]] = {
    "fixed points": (lambda: ode.fixed_points(linear(BEYOND)), "a guess that leads to a fixed point"),
    "fixed points of a guess": (lambda: ode.fixed_points(linear(BEYOND), START), "a guess that leads to"),
    "a critical value": (
        lambda: ode.critical(linear(BEYOND), "sgd.learning_rate", (BEYOND, 2 * BEYOND)),
        "a fixed point at an end of the bracket",
    ),
    "a plateau": (lambda: ode.plateau(linear(50.0, 2), SYMMETRIC, level="easy"), "fixed point; got: one that diverges"),
    "a plateau at once": (
        lambda: ode.plateau(linear(BEYOND, 2), SYMMETRIC, level="easy"),
        "fixed point; got: one that diverges",
    ),
    "fluctuations": (lambda: ode.fluctuations(linear(BEYOND), START, ALPHAS), "reaches its last alpha"),
}


@pytest.mark.parametrize("name", NOWHERE)
def test_what_is_nowhere_is_refused_in_one_line(name: str) -> None:
    call, words = NOWHERE[name]
    with pytest.raises(ts.InputError) as raised:
        call()
    assert words in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_sweep_of_which_every_cell_diverged_is_drawn_and_saved(tmp_path: Path) -> None:
    axes = {"rate": {"sgd.learning_rate": [8.0, BEYOND]}, "noise": {"task.noise": [0.1, 0.2]}}
    tables: dict[str, Any] = {"start": {"scale": 0.5}, "record": {"alphas": ALPHAS}, "seed": 1}
    data = figures.sweep(linear(0.5), axes, ["error"], out=tmp_path / "s", workers=0, progress=False, **tables)
    assert not np.any(np.isfinite(data["error"]))
    statuses = {CellStatus(int(code)) for code in data["status"].values.flat}
    assert statuses <= {CellStatus.DIVERGED, CellStatus.TOO_STIFF}
    data.sweep.plot(at={"level": "easy"})[0].canvas.draw()
    figures.phase_diagram(data, "rate", "noise", at={"level": "easy"}).canvas.draw()
    figures.curves(data, "rate", at={"level": "easy", "noise": 0.1}).canvas.draw()
    edge = figures.boundary(figures.select(data, "error", at={"level": "easy"}), "rate", "noise", 0.5)
    assert np.all(edge["crossings"] == 0)


def test_a_trajectory_of_several_solves_says_how_many_stopped() -> None:
    good = theory(0.5)
    several = dataclasses.replace(good, status=np.array([0, 1, 2]), reached=np.array([10.0, 3.0, 2.0]))
    assert "2 of 3 solves too stiff (its steps ran out, or became too short) at alpha 2" in several.describe()
