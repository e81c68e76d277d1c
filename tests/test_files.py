"""Files: whole or not at all, and they load back into the same trajectory and problem."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import ode
import simulations
import teacher_student as ts
from teacher_student import internal

from . import build


def same(a: ts.Trajectory, b: ts.Trajectory) -> bool:
    import jax

    leaves = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return all(np.array_equal(x, y, equal_nan=True) for x, y in leaves) and a.source == b.source


def test_theory_and_runs_load_back(tmp_path: Path) -> None:
    problem = build.problem(student="relu")
    start = build.overlaps(problem)
    theory = ode.solve(problem, start, [0.5, 1.0], averages=ode.Sampled(2**6, 2))
    runs = simulations.run(problem, 50, 3, [0.5, 1.0], 7, start=start, progress=False)
    for trajectory in (theory, runs):
        path = tmp_path / f"{trajectory.source.engine}.nc"
        trajectory.save(path)
        assert same(ts.Trajectory.load(path), trajectory)
    dataset = xr.open_dataset(tmp_path / "sgd.nc")
    assert dataset["Q"].dims == ("run", "alpha", "block", "student_unit", "student_unit_2")
    assert list(dataset["block"].values) == ["relevant", "irrelevant"]
    assert dataset["alpha"].attrs["units"] == "samples / N"
    assert dataset.attrs["source_seed"] == "0000000000000007"
    assert dataset.attrs["source_dim"] == 50
    assert json.loads(dataset.attrs["problem"])["sgd"]["learning_rate"] == 0.7
    assert "jax" in json.loads(dataset.attrs["versions"])
    assert "w -= eta/sqrt(N)" in dataset.attrs["conventions"]


def test_a_file_is_not_overwritten_nor_left_half_written(tmp_path: Path) -> None:
    problem = build.problem()
    theory = ode.solve(problem, build.overlaps(problem), [0.5, 1.0, 1.5])
    path = theory.save(tmp_path / "theory.nc")
    with pytest.raises(ts.InputError, match="does not exist yet"):
        theory.save(path)
    theory.save(path, force=True)
    before = path.read_bytes()

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(ts.InputError, match=r"room for the file; got: .*disk full"):
        internal.write_whole(path, fail, force=True)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["theory.nc"]
    with pytest.raises(ts.InputError, match="writable output directory"):
        theory.save(tmp_path / "nowhere" / "theory.nc")


def test_another_file_is_refused(tmp_path: Path) -> None:
    xr.Dataset({"x": 1}).to_netcdf(tmp_path / "other.nc")
    with pytest.raises(ts.InputError, match=r"Trajectory\.save"):
        ts.Trajectory.load(tmp_path / "other.nc")


def test_at_selects_recorded_alphas() -> None:
    problem = build.problem()
    theory = ode.solve(problem, build.overlaps(problem), [0.5, 1.0, 1.5])
    part = theory.at([0.5, 1.5])
    np.testing.assert_array_equal(part.overlaps.Q, theory.overlaps.Q[[0, 2]])
    with pytest.raises(ts.InputError, match="alphas that were recorded"):
        theory.at([0.75])
