"""Results draw themselves: one panel a quantity, curves that differ, legends beside the data, axes that end with it."""

import dataclasses
import itertools
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import figures
import simulations
import teacher_student as ts
from figures import atlas
from figures.pictures import UP, alike, drawn_curves, look, looks
from figures.pictures._notation import in_figures, in_lines, in_symbols, letters_of
from simulations.verdict._shifts import Shift
from teacher_student import _drawing, internal

from . import build, test_phase_diagram

ALPHAS = np.linspace(0.0, 2.0, 9)
DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """pyplot keeps what is shown until it is closed."""
    yield
    pyplot.close("all")


def made_up(K: int = 3, M: int = 2, runs: int | None = None, *, accuracy: bool = False) -> ts.Trajectory:
    """A trajectory of made-up numbers, which costs no solve: all curves differ, and runs scatter around theory."""
    order = ts.Curriculum.phases(("easy", 1.0), ("hard", 1.0))
    problem = build.problem(K=K, M=M, readout=(1.0,) * M, curriculum=order)
    rng = np.random.default_rng(0)
    shape = (len(ALPHAS),) if runs is None else (runs, len(ALPHAS))

    def curve(*size: int) -> np.ndarray:
        end, noise = rng.random(size), np.random.default_rng(1).normal(size=(*shape, *size))
        grown = np.expand_dims(1 - np.exp(-ALPHAS), list(range(1, len(size) + 1)))
        return grown * end + 0.1 + (0.0 if runs is None else 0.01) * noise

    T = np.broadcast_to(np.eye(M), (*shape, 2, M, M))
    overlaps = ts.Overlaps(curve(2, K, K), curve(2, K, M), T, curve(K))
    errors = {level: curve() for level in ("easy", "hard")}
    observables = ts.Observables(overlaps, errors, {level: curve() for level in errors} if accuracy else {})
    engine = {"engine": "ode"} if runs is None else {"engine": "sgd", "dim": 500}
    source = ts.Source(**(dict.fromkeys(field.name for field in dataclasses.fields(ts.Source)) | engine))
    status = np.zeros((), int) if runs is None else np.zeros(runs, int)
    start = ts.Overlaps(*(np.asarray(x)[(0,) * len(shape)] for x in (overlaps.Q, overlaps.R, T, overlaps.readout)))
    return ts.Trajectory(problem, start, ALPHAS, observables, status, np.full(status.shape, 2.0), {}, None, source)


def with_bands(theory: ts.Trajectory) -> ts.Trajectory:
    """The theory with made-up fluctuations of size 1."""
    n = len(ts.entry_names(theory.problem))
    one, none = (_like(theory.observables, value) for value in (1.0, 0.0))
    spread = ts.Fluctuations(np.zeros((len(ALPHAS), n, n)), one, none, none, none, none)
    return dataclasses.replace(theory, fluctuations=spread)


def _like(observables: ts.Observables, value: float) -> ts.Observables:
    import jax

    filled: ts.Observables = jax.tree.map(lambda x: np.full(np.shape(x), value), observables)
    return filled


def verdict(theory: ts.Trajectory) -> simulations.Agreement:
    """A verdict on all quantities of a theory, with made-up deviations."""
    rng = np.random.default_rng(2)
    deviations = tuple(
        simulations.Deviation(one.name, one.kind, float(alpha), 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, float(rng.normal()))
        for one in ts.quantities(theory.observables, theory.problem)
        for alpha in ALPHAS[1:]
    )
    shifts = (
        Shift("sgd.learning_rate", "learning rate", 0.5, 0.001, 0.002, 0.5, 0.006),
        Shift("sgd.weight_decay", "weight decay", 0.0, 1e-5, 1e-5, 1.0, 3e-5),
    )
    numbers: dict[str, Any] = {"agrees": True, "significance": 0.01, "p": 0.5, "worst_z": 3.0, "threshold_z": 4.5}
    sizes: dict[str, Any] = {"dims": (100,), "runs": (8,), "compared_to": 2.0, "recorded_to": 2.0, "fixed": {}}
    rest: dict[str, Any] = {"questions": (), "unseen": (), "method": "made up", "notes": ()}
    return simulations.Agreement(shifts=shifts, deviations=deviations, **numbers, **sizes, **rest)


def compared(K: int, M: int) -> figures.Comparison:
    theory = made_up(K, M)
    runs = made_up(K, M, runs=8)
    return figures.Comparison(theory, runs, None, verdict(theory), {}, with_bands(theory))


def sweep(count: int) -> xr.Dataset:
    """The data set of a sweep with `count` values along y."""
    data = test_phase_diagram.made_up().isel(seed=0, order=0, drop=True)
    ys = np.linspace(0.5, 2.0, count)
    data = data.interp(y=ys, kwargs={"fill_value": "extrapolate"})
    for name, filled in (("status", 1), ("agrees", 1.0)):
        data[name] = xr.full_like(data[name], filled)
    return data.assign_attrs(axes=json.dumps({"x": ["x"], "y": ["y"]}))


def points_on_lines(K: int, M: int, *, accuracy: bool = False) -> Figure:
    figure, axes = made_up(K, M, accuracy=accuracy).plot()
    made_up(K, M, runs=8, accuracy=accuracy).plot(ax=axes)
    return figure


def two_theories() -> Figure:
    figure, axes = made_up().plot(quantities=["error", "Q"], label="one")
    made_up().plot(ax=axes, label="two")
    return figure


def in_a_column() -> Figure:
    with figures.style("prl"):
        return compared(3, 2).plot(quantities="error")[0]


def shipped(name: str) -> xr.Dataset:
    return internal.load_dataset(DOCS / "atlas" / f"{name}.nc")


PICTURES: dict[str, Callable[[], Figure]] = {
    "runs on theory": lambda: points_on_lines(3, 2, accuracy=True),
    "K = M = 4": lambda: points_on_lines(4, 4),
    "K = 12": lambda: points_on_lines(12, 2),
    "verdict": lambda: verdict(made_up()).plot()[0],
    "comparison, K = M = 4": lambda: compared(4, 4).plot()[0],
    "comparison, K = 9": lambda: compared(9, 1).plot()[0],
    "two theories": lambda: two_theories(),
    "a column": lambda: in_a_column(),
    "curriculum": lambda: made_up().problem.curriculum.plot()[0],
    "five curves": lambda: figures.curves(sweep(5), "x", lines="y"),
    "thirty curves": lambda: figures.curves(sweep(30), "x", lines="y"),
    "map": lambda: figures.phase_diagram(sweep(9), "x", "y", boundary=3.0),
    "lottery": lambda: atlas.lottery(*(shipped(f"lottery/{name}") for name in ("theory", "simulation", "settings"))),
    "tickets": lambda: atlas.tickets(shipped("tickets/tickets")),
    "cost": lambda: atlas.cost(shipped("cost/xor")),
    "gains": lambda: atlas.curriculum(shipped("curriculum/xor").isel(easiness=slice(2))),
    "width": lambda: atlas.width(*(shipped(f"width/{name}") for name in ("width", "sgd"))),
    "optimal": lambda: atlas.optimal(*(shipped(f"optimal/{name}") for name in ("perceptron", "xor"))),
    "images": lambda: atlas.images(*(shipped(f"images/{name}") for name in ("images", "softmax"))),
    "finite size": lambda: atlas.finite_size(*(shipped(f"finite-size/{name}") for name in ("deviation", "escape"))),
}


def panels(figure: Figure) -> list[Axes]:
    """The axes of a figure, without bars of colours."""
    return [one for one in figure.axes if one.get_label() != "<colorbar>"]


def points(axes: Axes) -> np.ndarray:
    """Where the data of a panel stand on the picture, in pixels."""
    found = [line.get_transform().transform(np.asarray(line.get_xydata(), float)) for line in axes.get_lines()]
    for collection in axes.collections:
        if np.size(collection.get_offsets()) > 2:
            found.append(collection.get_offset_transform().transform(np.ma.filled(collection.get_offsets(), np.nan)))
    together = np.concatenate([np.zeros((0, 2)), *found])
    return together[np.all(np.isfinite(together), axis=1)]


def legends(figure: Figure) -> list[Any]:
    return [*figure.legends, *(one.get_legend() for one in figure.axes if one.get_legend() is not None)]


def covered(figure: Figure) -> int:
    """How many points of data lie under a legend, or how many legends leave the picture."""
    count = 0
    for legend in legends(figure):
        box = legend.get_window_extent()
        count += sum(int(np.sum(box.contains(x, y))) for one in figure.axes for x, y in points(one))
        inside = figure.bbox.padded(2.0)
        count += not (inside.contains(box.x0, box.y0) and inside.contains(box.x1, box.y1))
    above = figure._suptitle  # type: ignore[attr-defined]  # matplotlib gives its text only
    return count + (above is not None and above.get_window_extent().width > figure.bbox.width)


def overhang(axes: Axes) -> float:
    """By how much of itself an axis goes on after its data."""
    lines = drawn_curves(axes) + [line for line in axes.get_lines() if line.get_marker() == UP]
    data = np.concatenate([np.asarray(line.get_xdata(), float) for line in lines])
    forward = axes.xaxis.get_transform().transform
    low, high = forward(np.asarray(axes.get_xlim()))
    with np.errstate(all="ignore"):
        places = forward(data)
    places = places[np.isfinite(places)]
    return float((high - places.max()) / (high - low))


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_can_be_read(name: str) -> None:
    """Curves differ, legends cover nothing, panels have letters, the x-axis ends with the data, and 1e4 is 10^4."""
    figure = PICTURES[name]()
    figure.draw_without_rendering()
    shown = panels(figure)
    for axes in shown:
        is_map = any(type(one).__name__ == "QuadMesh" for one in axes.collections)
        if not is_map:
            assert alike(axes) == []
        if drawn_curves(axes) and not is_map and not axes.get_xlabel().startswith("implied shift"):
            assert -1e-9 <= overhang(axes) < 0.04, axes.get_ylabel()
    assert covered(figure) == 0
    letters = [re.match(r"\((\w+)\)", one.get_title(loc="left")) for one in shown]
    if len(shown) > 1:
        assert [found and found[1] for found in letters] == [chr(ord("a") + i) for i in range(len(shown))]
    else:
        assert letters == [None]
    texts = [text.get_text() for text in figure.findobj(mpl.text.Text)]
    assert not [text for text in texts if re.search(r"\d[eE][+-]?\d", text)]


def test_what_the_check_of_pictures_looks_for_is_noticed() -> None:
    figure, (axes,) = made_up().plot(quantities="error")
    figure.canvas.draw()
    assert (alike(axes), covered(figure)) == ([], 0)
    axes.plot(ALPHAS, 0.5 + ALPHAS, look(0).line, color=look(0).colour, label="again")
    axes.legend(loc="center", mode="expand")
    axes.set_xlim(0.0, 3.0)
    figure.canvas.draw()
    assert alike(axes) == [("easy", "again")]
    assert covered(figure) > 0
    assert overhang(axes) > 0.3


@pytest.mark.parametrize("count", [1, 8, 9, 30, 100])
def test_any_number_of_curves_have_looks_of_their_own(count: int) -> None:
    assert len({(one.colour, one.line) for one in looks(count)}) == count
    assert len({(look(i).colour, look(i).line) for i in range(32)}) == 32


def test_a_theory_draws_a_panel_for_each_kind_and_block() -> None:
    _, axes = made_up(accuracy=True).plot()
    assert [one.get_ylabel() for one in axes] == [
        r"generalisation error $\epsilon_g$",
        "accuracy",
        "$Q_{kl}$, relevant",
        "$R_{km}$, relevant",
        "$Q_{kl}$, irrelevant",
        "$R_{km}$, irrelevant",
        "readout $v_k$",
    ]
    phases = [text.get_text() for text in axes[0].texts]
    assert phases == ["easy", "hard"]


def test_quantities_and_levels_choose_what_is_drawn() -> None:
    theory = made_up()
    _, (axes,) = theory.plot(level="hard", quantities="error")
    assert names(axes) == ["hard"]
    _, (axes,) = theory.plot(quantities=["Q[relevant][1,2]", "Q[relevant][3,3]"])
    assert names(axes) == ["$Q_{12}$", "$Q_{33}$"]
    _, (axes,) = theory.plot(ax=pyplot.figure().subplots(), quantities=["Q[relevant][1,2]", "error"], level=("easy",))
    assert names(axes) == [r"$\epsilon_g$, easy", "$Q_{12}$, relevant"]


def names(axes: Axes) -> list[str]:
    return [text.get_text() for text in build.given(axes.get_legend()).get_texts()]


REFUSED: dict[str, Callable[[], Any]] = {
    "did you mean 'error'": lambda: made_up().plot(quantities="eror"),
    r"did you mean 'Q\[relevant\]\[1,2\]'": lambda: made_up().plot(quantities="Q[relevant][1,22]"),
    "did you mean 'hard'": lambda: made_up().plot(level="hrad"),
    "one name or several as quantities": lambda: made_up().plot(quantities=build.unchecked(3)),
    "with_accuracy=True": lambda: made_up().plot(quantities="accuracy"),
    "one Axes as ax for each of 6 panels": lambda: made_up().plot(ax=pyplot.figure().subplots(2)),
    "matplotlib Axes": lambda: made_up().plot(ax=build.unchecked("axes")),
    "matplotlib Axes of two dimensions": lambda: made_up(runs=3).plot(ax=pyplot.figure().add_subplot(projection="3d")),
    "a theory with fluctuations for dim": lambda: made_up().plot(dim=100),
    "did you mean 'prl'": lambda: figures.style("pl").__enter__(),
    "a Trajectory, Agreement": lambda: figures.plot(3),
    "did you mean 'readout'": lambda: verdict(made_up()).plot(quantities="readuot"),
    "lines, of curves, or what a map has": lambda: build.unchecked(sweep(3)).sweep.plot(lines="y", boundary=1.0),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_drawn_is_refused_in_one_line(message: str) -> None:
    with pytest.raises(ts.InputError, match=message) as caught:
        REFUSED[message]()
    assert "\n" not in str(caught.value)


def test_runs_stand_on_the_lines_of_theory_in_their_colours() -> None:
    theory, runs = made_up(), made_up(runs=8)
    figure, axes = theory.plot()
    again, same = runs.plot(ax=axes)
    assert again is figure
    assert list(same) == list(axes)
    for one in axes:
        curves = drawn_curves(one)
        lines, dots = (curves[: len(curves) // 2], curves[len(curves) // 2 :])
        assert [to_hex(x.get_color()) for x in lines] == [to_hex(x.get_color()) for x in dots]
        assert all(x.get_marker() in ("None", "") for x in lines)
        assert all(x.get_linestyle() == "None" for x in dots)
    drawn = np.asarray(drawn_curves(axes[0])[2].get_ydata())
    np.testing.assert_allclose(drawn, runs.error["easy"].mean(axis=0))
    assert "8 runs at $N$ = 500" in build.given(figure.get_suptitle())


def test_points_have_the_standard_error_of_the_mean() -> None:
    runs = made_up(runs=8)
    _, (axes,) = runs.plot(quantities="error", level="hard")
    (bars,) = axes.containers[0][2]
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    error = runs.error["hard"].std(axis=0, ddof=1) / np.sqrt(8)
    np.testing.assert_allclose((ends[:, 1] - ends[:, 0]) / 2, error)


def test_one_axes_of_ones_own_gets_the_error_and_keeps_the_rest() -> None:
    figure, own = pyplot.subplots()
    own.set_title("mine")
    same, axes = made_up().plot(ax=own)
    assert same is figure
    assert axes.tolist() == [own]
    assert (own.get_title(), figure.get_suptitle()) == ("mine", "")
    assert names(own) == ["easy", "hard"]


def test_two_theories_in_one_panel_differ_and_have_names() -> None:
    _, axes = made_up().plot(quantities=["error", "Q"], label="one")
    made_up().plot(ax=axes, label="two")
    assert names(axes[0]) == ["easy, one", "hard, one", "easy, two", "hard, two"]
    assert [alike(one) for one in axes] == [[]] * 3


def test_more_curves_than_colours_have_a_bar_or_a_colour_a_unit() -> None:
    figure, axes = made_up(12, 2).plot(quantities="Q")
    assert [one.get_legend() for one in axes] == [None, None]
    assert len(figure.axes) == 4
    figure, (axes,) = made_up(4, 4).plot(quantities=[f"R[relevant][{k},{m}]" for k in "1234" for m in "1234"])
    assert len(figure.axes) == 1
    assert names(axes) == [*(f"$k = {k}$" for k in range(1, 5)), *(f"$m = {m}$" for m in range(1, 5))]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("last", [0, 4])
@pytest.mark.parametrize("runs", [None, 3])
def test_what_diverged_is_drawn_and_said(runs: int | None, last: int) -> None:
    """Also where nothing but NaN was recorded."""
    import jax

    good = made_up(runs=runs)
    axis = 0 if runs is None else 1

    def cut(x: Any) -> np.ndarray:
        x = np.moveaxis(np.array(x), axis, 0)
        x[last:] = np.nan
        return np.moveaxis(x, 0, axis)

    status = np.full(np.shape(good.status), int(ts.Status.DIVERGED))
    stopped = dataclasses.replace(
        good, observables=jax.tree.map(cut, good.observables), status=status, reached=0.5 * np.ones(status.shape)
    )
    figure, axes = stopped.plot()
    figure.canvas.draw()
    said = "diverged" if runs is None else "3 of 3 runs diverged"
    assert any(text.startswith(f"{said}\nat") for text in names(axes[0]))


def test_the_spread_of_a_run_is_shaded_at_the_dimension_that_is_asked_for() -> None:
    theory = with_bands(made_up())
    for dim, words in ((None, "= 1000"), (400, "= 400")):
        figure, (axes,) = theory.plot(quantities="error", level="easy", dim=dim)
        (band,) = axes.collections
        heights = band.get_paths()[0].vertices[:, 1]
        assert np.ptp(heights[np.isclose(band.get_paths()[0].vertices[:, 0], 0.0)]) == pytest.approx(
            2 / np.sqrt(dim or 1000)
        )
        assert words in build.given(figure.get_suptitle())


EASY_TO_HARD = ts.Curriculum.phases(("easy", 1.0), ("hard", 1.0))
ORDERS = {
    "curriculum": EASY_TO_HARD,
    "anti": ts.Curriculum.phases(("hard", 1.0), ("easy", 1.0)),
    "shuffled": ts.Curriculum.mixed({"easy": 0.5, "hard": 0.5}, 2.0),
}


def in_order(order: str, runs: int | None = None) -> ts.Trajectory:
    """A trajectory of made-up numbers, of one of the three orders."""
    trajectory = made_up(runs=runs)
    return dataclasses.replace(trajectory, problem=dataclasses.replace(trajectory.problem, curriculum=ORDERS[order]))


def shades(axes: Axes) -> list[Any]:
    return [one for one in axes.patches if type(one).__name__ == "Rectangle"]


def test_phases_are_shaded_for_one_curriculum_and_not_behind_several() -> None:
    _, axes = in_order("curriculum").plot(quantities=["error", "Q"], label="curriculum")
    in_order("curriculum", runs=8).plot(ax=axes)
    assert [len(shades(one)) for one in axes] == [1] * 3
    assert [text.get_text() for text in axes[0].texts] == ["easy", "hard"]
    limits = axes[0].get_xlim()
    in_order("anti").plot(ax=axes, label="anti")
    assert [len(shades(one)) for one in axes] == [0] * 3
    assert [one.texts[:] for one in axes] == [[]] * 3
    assert axes[0].get_xlim() == limits
    in_order("curriculum").plot(ax=axes, label="again")
    assert [len(shades(one)) for one in axes] == [0] * 3


def test_runs_without_a_label_have_that_of_the_theory_on_which_they_stand() -> None:
    """In whatever order they are drawn: one entry each, with the line and the points of one colour."""
    axes = None
    for order in ORDERS:
        _, axes = in_order(order).plot(ax=axes, level="hard", quantities="error", label=order)
    for order in ("shuffled", "curriculum", "anti"):
        in_order(order, runs=8).plot(ax=axes)
    (one,) = build.given(axes)
    assert names(one) == list(ORDERS)
    curves = drawn_curves(one)
    lines, dots = curves[:3], curves[3:]
    colours = [to_hex(line.get_color()) for line in lines]
    assert [to_hex(line.get_color()) for line in dots] == [colours[2], colours[0], colours[1]]
    assert alike(one) == []


def test_trajectories_without_labels_are_numbered() -> None:
    axes = None
    for order in ORDERS:
        _, axes = in_order(order).plot(ax=axes, level="hard", quantities="error")
        in_order(order, runs=8).plot(ax=axes)
    assert names(build.given(axes)[0]) == ["hard", "hard (2)", "hard (3)"]


def test_two_ensembles_of_one_problem_have_looks_and_names_of_their_own() -> None:
    _, (axes,) = in_order("anti").plot(level="hard", quantities="error", label="theory")
    in_order("anti", runs=8).plot(ax=axes)
    in_order("anti", runs=4).plot(ax=axes)
    assert names(axes) == ["theory", "hard"]
    assert alike(axes) == []


def test_overlaps_that_vanish_have_a_panel_only_where_they_are_named() -> None:
    theory = made_up()
    theory.observables.overlaps.R[:, 1] = 0.0
    _, axes = theory.plot(quantities=["error", "R"])
    assert [one.get_ylabel() for one in axes[1:]] == ["$R_{km}$, relevant"]
    _, (axes,) = theory.plot(quantities="R[irrelevant][1,1]")
    assert axes.get_ylabel() == "$R_{km}$, irrelevant"
    theory.observables.overlaps.R[:] = 0.0
    assert len(theory.plot(quantities="R")[1]) == 2


def test_the_last_panel_fills_its_row() -> None:
    figure, axes = made_up().plot(quantities=["error", "R"])
    figure.draw_without_rendering()
    widths = [one.get_position().width for one in axes]
    assert widths[2] > 1.8 * widths[0]
    assert [bool(one.get_xlabel()) for one in axes] == [False, False, True]


def gain_map(low: float, *, se: float = 1e-9) -> xr.Dataset:
    """Two orders over 5 x 4 cells whose accuracies differ by `low` to `low` + 0.02, simulated in every second cell."""
    x, y = np.linspace(0.1, 0.9, 5), np.linspace(0.5, 2.0, 4)
    apart = low + 0.02 * np.add.outer(np.arange(5) / 8, np.arange(4) / 6)
    theory = np.stack([0.8 + apart, np.full_like(apart, 0.8)])
    simulation = np.full_like(theory, np.nan)
    simulation[:, ::2, ::3] = theory[:, ::2, ::3]
    accuracy = np.stack([theory, simulation])
    status = np.where(np.isfinite(accuracy), 1, 5).astype(np.int8)
    dims = ("engine", "order", "x", "y")
    errors = np.where(np.isfinite(accuracy), np.array([0.0, se]).reshape(2, 1, 1, 1), np.nan)
    return xr.Dataset(
        {
            "accuracy": (dims, accuracy),
            "accuracy_se": (dims, errors),
            "status": (dims, status),
            "agrees": (dims[1:], np.where(status[1] == 1, 1.0, np.nan)),
        },
        {"engine": ["theory", "simulation"], "order": ["first", "second"], "x": x, "y": y},
    ).assign_attrs(axes=json.dumps({"order": ["order"], "x": ["x"], "y": ["y"]}))


def gain_of(data: xr.Dataset, **options: Any) -> tuple[Axes, list[str]]:
    """The map of the gain of the first order over the second, in a journal's column, and what its legend says."""
    with figures.style("prl"):
        figure, (axes,) = figures.plot(data, value="accuracy", contrast=("order", "first", "second"), **options)
    figure.draw_without_rendering()
    assert covered(figure) == 0
    said = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return axes, said


def test_the_legend_of_a_map_has_the_boundary_only_where_it_is_drawn() -> None:
    axes, said = gain_of(gain_map(0.001), boundary=0.0)
    assert said == ["simulation"]
    assert not axes.get_lines()
    axes, said = gain_of(gain_map(0.001), boundary=0.01)
    assert said == ["contour 0.01", "simulation", "its boundary, 95 %"]
    data = gain_map(0.001).sel(engine=["theory"])
    assert gain_of(data, boundary=0.0)[1] == []
    assert gain_of(data, boundary=0.01)[1] == ["contour 0.01"]
    assert gain_of(data, boundary="steepest")[1] == ["steepest change (band: one cell)"]
    assert gain_of(data, boundary="diverged")[1] == []


def test_the_label_of_a_bar_of_colours_stays_within_a_picture_with_a_long_legend() -> None:
    data = figures.open_sweep(DOCS / "phase_diagrams" / "curriculum_gain.zarr")
    axes = ("easy_share", "irrelevant_share")
    with figures.style("prl"):
        figure, _ = figures.plot(
            data, x=axes[0], y=axes[1], level="hard", contrast=("order", "easy to hard", "mixed"), boundary=0
        )
    figure.draw_without_rendering()
    label = figure.axes[-1].yaxis.label
    assert label.get_text().count("\n") == 1
    box = label.get_window_extent()
    assert figure.bbox.y0 <= box.y0
    assert box.y1 <= figure.bbox.y1


def test_circles_are_hollow_where_a_gain_may_be_none() -> None:
    """Of the standard errors of both orders, which add in squares here."""
    data = gain_map(0.0, se=0.003)
    axes, said = gain_of(data)
    filled, hollow = (one for one in axes.collections if np.size(one.get_offsets()) > 2)
    assert said == ["simulation", "simulation, 0 within 2 s.e."]
    simulated = figures.select(data, "accuracy", contrast=("order", "first", "second"), engine="simulation")
    gains = simulated["value"].values[::2, ::3].ravel()
    far = np.abs(gains) > 2 * np.sqrt(2) * 0.003
    assert 0 < far.sum() < far.size
    np.testing.assert_allclose(np.sort(build.given(filled.get_array())), np.sort(gains[far]))
    assert len(np.asarray(hollow.get_offsets())) == np.sum(~far)
    assert np.size(hollow.get_facecolor()) == 0
    assert gain_of(gain_map(0.0, se=1.0))[1] == ["simulation, 0 within 2 s.e."]


def test_labels_of_maps_side_by_side_in_a_column_do_not_overlap() -> None:
    data = gain_map(0.0).rename({"x": "share"})
    data = data.assign_attrs(axes=json.dumps({"order": ["order"], "share": ["share"], "y": ["y"]}))
    data["share"].attrs["long_name"] = "easy share of the budget"
    with figures.style("prl"):
        figure, axes = figures.plot(data, value="accuracy", panels="order")
    figure.draw_without_rendering()
    left, right = (one.xaxis.label.get_window_extent() for one in axes)
    assert left.x1 < right.x0
    for one in axes:
        boxes = [text.get_window_extent() for text in one.get_xticklabels() if text.get_text()]
        boxes = [box for box in boxes if one.bbox.x0 <= (box.x0 + box.x1) / 2 <= one.bbox.x1]
        assert len(boxes) >= 2
        assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))


def test_the_label_of_a_bar_of_colours_is_broken_evenly() -> None:
    assert in_lines("accuracy gain of easy to hard\nover shuffled, hard", 60) == (
        "accuracy gain of easy to hard over shuffled, hard"
    )
    assert in_lines("accuracy gain of easy to hard\nover shuffled, hard", 30) == (
        "accuracy gain of easy to hard\nover shuffled, hard"
    )
    assert in_lines("accuracy gain of easy to hard\nover shuffled, hard", 28) == (
        "accuracy gain of easy to\nhard over shuffled, hard"
    )
    ratio = r"$\log_{10}\,[\epsilon_g$(a b) / $\epsilon_g$(c d)$]$, hard"
    assert letters_of(ratio) == len("log10 [eg(a b) / eg(c d)], hard")
    assert in_lines(ratio, 20) == "$\\log_{10}\\,[\\epsilon_g$(a b)\n/ $\\epsilon_g$(c d)$]$, hard"


def test_the_legend_of_curves_in_a_column_stands_below_and_has_markers_where_there_are_points() -> None:
    data = gain_map(0.0).rename(accuracy="error", accuracy_se="error_se")
    with figures.style("prl"):
        figure, (axes,) = figures.plot(data, x="x", lines="y", at={"order": "first"})
    figure.draw_without_rendering()
    legend = build.given(axes.get_legend())
    assert covered(figure) == 0
    assert axes.bbox.width > 0.7 * figure.bbox.width
    assert legend.get_window_extent().y1 < axes.bbox.y0
    handles = {text.get_text(): handle for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)}
    markers = {name: handle.get_marker() not in ("", "None") for name, handle in handles.items()}
    assert markers == {"0.5": True, "1": False, "1.5": False, "2": True, "theory": False, "simulation": True}
    for line in drawn_curves(axes):
        if line.get_marker() not in ("", "None"):
            reach = (line.get_markersize() + line.get_markeredgewidth()) / 2 * figure.dpi / 72
            ends = axes.transData.transform(np.asarray(line.get_xydata(), float))[:, 0]
            assert np.nanmin(ends) - reach >= axes.bbox.x0
            assert np.nanmax(ends) + reach <= axes.bbox.x1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"measure": "accuracy"}, "did you mean value='accuracy'"),
        ({"quantity": "accuracy"}, "did you mean value='accuracy'"),
        ({"panel": "order"}, "did you mean 'panels'"),
    ],
)
def test_an_argument_that_a_sweep_does_not_have_is_answered_with_the_one_it_has(
    given: dict[str, str], message: str
) -> None:
    with pytest.raises(
        ts.InputError, match=f"a known argument of data.sweep.plot; got: {next(iter(given))}=.*{message}"
    ):
        build.unchecked(sweep(3)).sweep.plot(**given)


def test_runs_of_another_dimension_than_the_band_are_warned_of(recwarn: pytest.WarningsRecorder) -> None:
    """A band of N = 1000 is too narrow for runs at N = 500, by sqrt(2)."""
    theory, runs = with_bands(made_up()), made_up(runs=8)
    _, axes = theory.plot()
    with pytest.warns(UserWarning, match=r"of a run at N = 1000, and these runs have N = 500: .* plot\(dim=500\)"):
        runs.plot(ax=axes)
    recwarn.clear()
    _, axes = theory.plot(dim=500)
    runs.plot(ax=axes)
    _, axes = made_up().plot()  # without a band
    runs.plot(ax=axes)
    assert not recwarn.list


def pixels(figure: Figure) -> int:
    """A number that differs for pictures that differ in one pixel."""
    figure.canvas.draw()
    return zlib.crc32(np.asarray(build.unchecked(figure.canvas).buffer_rgba()).tobytes())


def test_what_was_saved_and_loaded_draws_the_same(tmp_path: Path) -> None:
    for trajectory in (made_up(accuracy=True), made_up(runs=4)):
        loaded = ts.Trajectory.load(trajectory.save(tmp_path / f"{trajectory.runs}.nc"))
        assert pixels(loaded.plot()[0]) == pixels(trajectory.plot()[0])
    assert pixels(made_up(K=2).plot()[0]) != pixels(made_up(K=3).plot()[0])


@pytest.mark.parametrize(("name", "millimetres"), [("prl", 86), ("prl-wide", 178)])
def test_a_style_has_the_width_of_a_journal_and_its_fonts_are_embedded(
    name: str, millimetres: float, tmp_path: Path
) -> None:
    before = dict(mpl.rcParams)
    with figures.style(name):
        figure, _ = made_up().plot()
        assert mpl.rcParams["font.size"] == 8
    assert dict(mpl.rcParams) == before
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(millimetres)
    with mpl.rc_context({"pdf.compression": 0}):
        figure.savefig(tmp_path / "picture.pdf")  # after the style, with matplotlib's own fonttype 3
    pdf = (tmp_path / "picture.pdf").read_bytes()
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf


def test_a_gain_is_red_and_blue_around_a_white_zero_and_an_error_is_not() -> None:
    data = test_phase_diagram.made_up()
    gain = figures.phase_diagram(data, "x", "y", over="seed", contrast=("order", "first", "second"), boundary=0.0)
    tiles = next(one for one in gain.axes[0].collections if type(one).__name__ == "QuadMesh")
    assert tiles.get_cmap().name == "RdBu_r"
    low, high = build.unchecked(tiles.norm.vmin), build.unchecked(tiles.norm.vmax)
    assert low == -high < 0
    error = sweep(9)
    error["error"][{"x": 0, "y": 0}] = -1e-17  # as rounding leaves it
    tiles = next(one for one in figures.phase_diagram(error).axes[0].collections if type(one).__name__ == "QuadMesh")
    assert tiles.get_cmap().name == "cividis"


def test_a_sweep_draws_itself_as_its_free_axes_ask() -> None:
    data: Any = sweep(9)
    _, axes = data.sweep.plot()
    assert [len(axes), axes[0].get_ylabel()] == [1, "y"]
    _, axes = data.sweep.plot(at={"y": 0.5})
    assert axes[0].get_ylabel().startswith("generalisation error")
    _, axes = data.sweep.plot("x", lines="y")
    assert len(drawn_curves(axes[0])) > 9
    own = pyplot.figure().subplots()
    same, axes = figures.plot(data, x="y", y="x", ax=own)
    assert axes.tolist() == [own]
    assert same is own.figure


def test_arrows_of_what_is_never_reached_have_the_colour_of_their_curve_and_a_name() -> None:
    figure = PICTURES["cost"]()
    for axes in figure.axes:
        colours = {to_hex(line.get_color()) for line in drawn_curves(axes)}
        arrows = [line for line in axes.get_lines() if line.get_marker() == UP and np.size(line.get_xdata())]
        assert arrows
        assert {to_hex(line.get_color()) for line in arrows} <= colours | {look(i).colour.lower() for i in range(4)}
        assert len({to_hex(line.get_color()) for line in arrows}) == len(arrows)
    (legend,) = figure.legends
    assert legend.get_texts()[-1].get_text() == r"not within $\alpha$ = 640"


def test_the_map_of_a_curriculum_says_where_width_changes_the_gain() -> None:
    data = shipped("curriculum/xor")
    figure = atlas.curriculum(data)
    assert build.given(figure.get_suptitle()).endswith(
        "with width, the gain of easy to hard over mixed shrinks in 2 and grows in 2 of 24 panels"
    )
    rows = atlas.shrinking(atlas.gain(data, "accuracy", "easy to hard", "mixed"))
    verdicts = [row.verdict.partition(" ")[0] for row in rows]
    said = [one.get_title(loc="right") for one in panels(figure)]
    assert sorted(word for word in said if word) == sorted(word for word in verdicts if word in ("shrinks", "grows"))


def test_a_curriculum_draws_its_shares() -> None:
    _, (axes,) = ts.Curriculum.phases(("easy", 10.0), ("easy", "hard", 5.0)).plot()
    assert names(axes) == ["easy", "hard"]
    assert axes.get_xlim() == (0.0, 15.0)
    (easy, hard) = axes.collections
    assert easy.get_paths()[0].contains_point((12.0, 0.5))
    assert not easy.get_paths()[0].contains_point((14.0, 0.5))
    assert hard.get_paths()[0].contains_point((14.0, 0.5))


def test_results_reach_what_draws_them_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_drawing, "BACKEND", "no_such_package")
    with pytest.raises(ts.InputError, match="the package 'no_such_package' with matplotlib") as caught:
        made_up().plot()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("N = 10^4", "$N$ = $10^{4}$"),
        ("K = M = 1", "$K$ = $M$ = 1"),
        (r"$\eta_c$ of K = 2", r"$\eta_c$ of $K$ = 2"),
        ("eta = 0.1", r"$\eta$ = 0.1"),
        (r"\$x N = 2", r"\$x N = 2"),
        ("Knowledge", "Knowledge"),
    ],
)
def test_names_are_drawn_in_the_notation_of_a_text(name: str, shown: str) -> None:
    assert in_symbols(name) == shown
    assert (in_figures(1e-4), in_figures(0.5), in_figures(3e-5)) == ("$10^{-4}$", "0.5", r"$3 \times 10^{-5}$")
