"""The picture of an optimal protocol: what it does, why it is optimal, what comes of it, and what it gains."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from scipy.interpolate import PchipInterpolator

import ode
import teacher_student as ts
from teacher_student.internal import single_schedules

from ..checks import Judged
from ..sweeps import label_of, plain
from ._canvas import new_axes, say_above
from ._legends import legend_beside
from ._looks import Look, look
from ._panels import ALPHA
from ._phases import draw_curriculum, shade_phases
from ._style import drawing, put_letters

TIMES = 201  # at which a number over time is drawn
CURVE = 61  # alphas of a curve, beside the times of switches, at which it has a kink
POINTS = 2**11  # of sampled averages: a curve needs no more digits than its line is thick
MOST_LEVELS = 3  # that have a panel each; of more their mixture is drawn
DECADES = 6  # of gaps below the largest one, that are told apart on a logarithmic axis
ARC: dict[str, Any] = {"color": "0.35", "lw": 4.0, "alpha": 0.5, "solid_capstyle": "butt"}
GREY = "0.35"
GIVEN = "as given"
ROUNDING = 1e-9  # of the best cost: searches that end closer to it have found the same
FLAT = 0.05  # of the largest |S|: where half of S is below, its sign is seen on a logarithmic axis only
Point = tuple[float, dict[str, Any], str]  # gap, marker, label


@dataclasses.dataclass(frozen=True)
class Shown:
    """A protocol that is drawn.

    Fields: name, problem, look: of it. best: whether it is the optimum. states: by theory, of leading axes (1, A).
    """

    name: str
    problem: ts.Problem
    look: Look
    best: bool
    states: ts.Overlaps

    @property
    def line(self) -> dict[str, Any]:
        """What matplotlib is told of its lines: another one on the optimum's thick line is seen to be the same."""
        return {"color": self.look.colour, "ls": self.look.line, "lw": 2.4 if self.best else 1.1}


def plot_protocol(best: ode.protocols.Optimum) -> tuple[Figure, np.ndarray]:
    """Draw an optimal protocol, its switching function, its curves, and the gaps to others. See `Optimum.plot`."""
    judged = Judged.of(best.criterion, best.given)
    problems = _problems(best)
    alphas = _alphas(judged, list(problems.values()))
    protocols = [
        Shown(name, problem, look(i), i == 0, _states(problem, best.start, alphas))
        for i, (name, problem) in enumerate(problems.items())
    ]
    with drawing() as style:
        panels = _panels(best, judged, alphas, protocols)
        figure, axes = new_axes(len(panels), style, shown=True)
        say_above(figure, _caption(best))
        put_letters(axes)
        for one, draw in zip(axes, panels, strict=True):
            draw(one)
        return figure, axes


def _problems(best: ode.protocols.Optimum) -> dict[str, ts.Problem]:
    """Return the optimum, and what it is compared with: named orders, or the problem as it was given."""
    others = {name: named.problem for name, named in best.named.items() if np.isfinite(named.best)}
    return {"optimum": best.problem, **(others or {GIVEN: best.given})}


def _alphas(judged: Judged, problems: list[ts.Problem]) -> np.ndarray:
    """Return the alphas of the curves: a grid, those at which the cost looks, and all switches."""
    switches = np.concatenate([np.asarray(problem.curriculum.switches, float)[:-1] for problem in problems])
    grid = np.linspace(0.0, judged.end, CURVE)
    every = np.sort(np.concatenate([grid, judged.cost.alphas(judged.end), switches]))
    return every[np.diff(every, prepend=-1.0) > 1e-9 * judged.end]


def _panels(
    best: ode.protocols.Optimum, judged: Judged, alphas: np.ndarray, protocols: list[Shown]
) -> list[Callable[[Axes], None]]:
    """Return what draws each panel."""
    panels: list[Callable[[Axes], None]] = []
    if len(best.certificate.switching) > 1 or len(best.problem.curriculum.level_names) > 1:
        panels.append(partial(draw_shares, best=best))
    panels += [partial(_draw_number, name=name, protocols=protocols) for name in _numbers_over_time(best)]
    panels.append(partial(_draw_switching if best.certificate.switching else _draw_hamiltonian, best=best))
    panels += [partial(_draw_curves, curves=curves) for curves in _curves(judged, alphas, protocols)]
    points = _points(best, judged, alphas, protocols)
    return [*panels, partial(_draw_gaps, points=points, size=abs(best.cost))]


def _caption(best: ode.protocols.Optimum) -> str:
    """Say above the panels what is optimal, and how much of it is certain."""
    certificate = best.certificate
    found = f"{plain(best.criterion.name)}: {best.cost:.6g} ({best.method}, {best.status})"
    numbers = [
        f"{label_of(name)} = {value:.4g}" for name, value in best.variables.items() if "." in name and ", " not in name
    ]
    if certificate.pontryagin:
        verdict = "Pontryagin's conditions hold at all times"
    elif certificate.first_order:
        verdict = "a first-order point of these controls"
    else:
        verdict = "the certificate rejects it"
    return "; ".join([found, *numbers, verdict])


# -------------------------------------------------------------------------------------------------------- the protocol


def draw_shares(axes: Axes, best: ode.protocols.Optimum) -> None:
    """Draw the shares of the optimum's levels, stacked."""
    draw_curriculum(axes, best.problem.curriculum, hatched=True)


def _numbers_over_time(best: ode.protocols.Optimum) -> list[str]:
    """Return the dotted names of the numbers that change under the optimum."""
    return list(_schedules(best.problem))


def _schedules(problem: ts.Problem) -> dict[str, ts.Schedule]:
    """Return the schedules of single numbers by their dotted names; those of tables of variances one by one."""
    found: dict[str, ts.Schedule] = {}
    for name, schedule in problem.schedules.items():
        entries = getattr(schedule, "entries", None)
        if entries is None:
            found[name] = schedule
            continue
        levels, blocks = problem.inputs.level_names, problem.inputs.block_names
        found |= {f"task.levels.{levels[i]}.{blocks[j]}": entry for (i, j), entry in entries.items()}
    assert len(found) == len(single_schedules(problem))
    return found


def _draw_number(axes: Axes, name: str, protocols: list[Shown]) -> None:
    """Draw one number against alpha under the optimum, and under the others that have it as a number over time too."""
    for one in protocols:
        schedule = _schedules(one.problem).get(name)
        end = float(one.problem.curriculum.end)
        if schedule is not None:
            alphas = _times(schedule, end)
            axes.plot(alphas, [float(schedule(alpha)) for alpha in alphas], label=plain(one.name), **one.line)
        elif (value := _constant(one.problem, name)) is not None:
            axes.plot([0.0, end], [value, value], label=plain(one.name), **one.line)
    axes.set_ylabel(label_of(name))
    _against_alpha(axes, float(protocols[0].problem.curriculum.end))
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.0) if low < 0.5 * high else low, high)
    legend_beside(axes)


def _times(schedule: ts.Schedule, end: float) -> np.ndarray:
    """Return times at which a schedule is drawn: a grid, and both sides of every jump."""
    jumps = np.asarray(schedule.jumps, float)
    inside = jumps[(jumps > 0) & (jumps < end)]
    return np.unique(np.concatenate([np.linspace(0.0, end, TIMES), inside, np.nextafter(inside, 0.0)]))


def _constant(problem: ts.Problem, name: str) -> float | None:
    """Return a rate, decay or noise of the problem that is the same at all times; None for what is not there."""
    value: Any = problem
    for part in name.split("."):
        value = getattr(value, part, None)
    return float(value) if value is not None and np.ndim(value) == 0 else None


# ----------------------------------------------------------------------------------------------- why it is the optimum


def _draw_switching(axes: Axes, best: ode.protocols.Optimum) -> None:
    """Draw the switching function: the level with the least S is shown, and on singular arcs all that are mixed."""
    certificate = best.certificate
    own = best.problem.curriculum.level_names
    levels = [level for level in own if level in certificate.switching] or list(certificate.switching)
    S = {level: np.asarray(certificate.switching[level]) for level in levels}
    alphas = np.asarray(certificate.alphas)
    if len(levels) == 2:
        first, second = levels
        difference = S[first] - S[second]
        axes.plot(*_smooth(alphas, difference), color="black", lw=1.4)
        _magnify_zero(axes, difference)
        axes.set_ylabel(f"$S$({plain(first)}) $-$ $S$({plain(second)})")
        axes.text(0.99, 0.03, f"below 0: {plain(first)}", transform=axes.transAxes, **_NOTE)
    else:
        least = np.min(list(S.values()), axis=0)
        for index, level in enumerate(levels):
            curve = look(index)
            axes.plot(alphas, S[level] - least, curve.line, color=curve.colour, lw=1.4, label=plain(level))
        axes.set_ylabel(r"$S_l - \min_l S_l$")
    axes.axhline(0.0, color=GREY, lw=0.8, zorder=1)
    _make_room_below(axes)
    arcs = [stretch for stretch in certificate.stretches if stretch.name == "singular arc"]
    for index, arc in enumerate(arcs):
        axes.plot([arc.begin, arc.end], [0.0, 0.0], label="_" if index else "singular arc", zorder=3, **ARC)
    end = float(best.problem.curriculum.end)
    _against_alpha(axes, end)
    shade_phases(axes, _stretched(best), np.array([0.0, end]), named=True)
    axes.set_title(axes.get_title(loc="left"), loc="left", pad=16)  # above the names of the phases
    legend_beside(axes)


_NOTE: dict[str, Any] = {"ha": "right", "va": "bottom", "fontsize": "small", "color": GREY}


def _smooth(alphas: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a monotone interpolation between the nodes of a trajectory, of which large steps leave few."""
    dense = np.union1d(alphas, np.linspace(alphas[0], alphas[-1], 2 * TIMES))
    return dense, PchipInterpolator(alphas, values)(dense)


def _magnify_zero(axes: Axes, values: np.ndarray) -> None:
    """Take an axis that is logarithmic on both sides of 0, where much of a curve lies close to 0."""
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest and np.median(np.abs(values)) < FLAT * largest:
        axes.set_yscale("symlog", linthresh=10.0 ** np.floor(np.log10(FLAT * largest) - 1))
        axes.yaxis.set_minor_locator(NullLocator())


def _make_room_below(axes: Axes) -> None:
    """Leave room for a note below the curves."""
    scale = axes.yaxis.get_transform()
    low, high = scale.transform(np.array(axes.get_ylim()))
    axes.set_ylim(float(scale.inverted().transform(np.array([low - 0.16 * (high - low)]))[0]), axes.get_ylim()[1])


def _stretched(best: ode.protocols.Optimum) -> ts.Curriculum:
    """Return the optimum's order with the stretches of its certificate as phases, named as these are."""
    stretches = best.certificate.stretches
    if not stretches:
        return best.problem.curriculum
    return ts.Curriculum.phases(*((_short(stretch), stretch.end - stretch.begin) for stretch in stretches))


def _short(stretch: ode.protocols.Stretch) -> str:
    return {"singular arc": "arc"}.get(stretch.name, stretch.name)


def _draw_hamiltonian(axes: Axes, best: ode.protocols.Optimum) -> None:
    """Draw H, which is constant where the numbers are optimal at all times."""
    H = np.asarray(best.certificate.hamiltonian)
    axes.plot(best.certificate.alphas, H, color="black", lw=1.4)
    axes.set_ylabel("Hamiltonian $H$")
    low, high = axes.get_ylim()
    around = 0.02 * float(np.max(np.abs(H), initial=0.0))  # below it is rounding that would be drawn
    axes.set_ylim(min(low, float(np.min(H)) - around), max(high, float(np.max(H)) + around))
    _make_room_below(axes)
    axes.text(0.99, 0.03, "constant at an optimum of all times", transform=axes.transAxes, **_NOTE)
    _against_alpha(axes, float(best.problem.curriculum.end))


# ---------------------------------------------------------------------------------------------------- what comes of it


@dataclasses.dataclass(frozen=True)
class Curves:
    """What one panel of curves shows: a label, the end, and for each protocol its alphas and values."""

    label: str
    end: float
    lines: list[tuple[Shown, np.ndarray, np.ndarray]]


def _curves(judged: Judged, alphas: np.ndarray, protocols: list[Shown]) -> list[Curves]:
    """Return a panel for each judged level, or one for their mixture: theory under each protocol."""
    quantity = r"$1 -$ accuracy" if judged.cost.with_accuracy else r"$\epsilon_g$"
    rows = [(one, judged.by_level(one.states, alphas)) for one in protocols]
    levels = list(rows[0][1])
    if len(levels) <= MOST_LEVELS:
        return [
            Curves(f"{quantity}, {plain(level)}", judged.end, [(one, alphas, row[level][0]) for one, row in rows])
            for level in levels
        ]
    weights = getattr(judged.cost, "weights", dict.fromkeys(levels, 1 / len(levels)))
    mean = [(one, alphas, np.sum([weights[level] * row[level][0] for level in levels], axis=0)) for one, row in rows]
    return [Curves(f"{quantity}, mean of {len(levels)} levels", judged.end, mean)]


def _states(problem: ts.Problem, start: ts.Overlaps, alphas: np.ndarray) -> ts.Overlaps:
    """Return the overlaps of a solve with leading axes (1, A)."""
    closed = ode.missing_closed_form(problem) is None
    averages = None if closed else ode.Sampled(POINTS, 1)
    solved = ode.solve(problem, start, alphas, averages=averages, with_accuracy=False)
    states: ts.Overlaps = jax.tree.map(lambda x: np.asarray(x)[None], solved.overlaps)
    return states


def _draw_curves(axes: Axes, curves: Curves) -> None:
    for one, alphas, values in curves.lines:
        axes.plot(alphas, values, label=plain(one.name), **one.line)
    values = np.concatenate([values for *_, values in curves.lines])
    values = values[np.isfinite(values) & (values > 0)]
    if values.size and values.max() / values.min() > 8:
        axes.set_yscale("log")
    axes.set_ylabel(curves.label)
    _against_alpha(axes, curves.end)
    legend_beside(axes)


# -------------------------------------------------------------------------------------------- by how much it is better


def _draw_gaps(axes: Axes, points: list[Point], size: float) -> None:
    """Draw by how much the costs of searches and protocols are above the best, in order of cost.

    Arguments: size: of the best cost; what is closer to it by ROUNDING of that is drawn as equal.
    """
    gaps = np.array([0.0 if gap < ROUNDING * size else gap for gap, *_ in points])
    ranks = np.arange(1, len(points) + 1)
    for label in dict.fromkeys(label for *_, label in points):
        here = np.array([each[-1] == label for each in points])
        style = next(style for _, style, each in points if each == label)
        axes.plot(ranks[here], gaps[here], ls="", label=label, clip_on=False, zorder=3, **style)
    if np.any(gaps):
        largest = int(np.floor(np.log10(gaps.max())))
        smallest = max(int(np.floor(np.log10(gaps[gaps > 0].min()))), largest - DECADES)
        axes.set_yscale("symlog", linthresh=10.0**smallest)
        axes.set_ylim(0.0, 2 * gaps.max())
    else:
        axes.set_ylim(0.0, 1.0)
        axes.set_yticks([0.0])
    axes.set_xlim(0.5, len(points) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("rank of searches and protocols")
    axes.set_ylabel("cost $J$ above the best")
    legend_beside(axes)


def _points(best: ode.protocols.Optimum, judged: Judged, alphas: np.ndarray, protocols: list[Shown]) -> list[Point]:
    """Return everything that has a cost, in order of it."""
    looks = {one.name: one.look for one in protocols}
    costs = [(search.cost, _search_marker(), "search") for search in best.searches]
    for name, named in best.named.items():
        marker = looks.get(name, look(len(protocols)))
        costs.append((named.cost, _named_marker(marker, filled=False), plain(name)))
        if named.tuned is not None:
            costs.append((named.tuned, _named_marker(marker, filled=True), f"{plain(name)}, tuned"))
    for one in protocols:
        if one.name == GIVEN and GIVEN not in best.named:
            costs.append((float(judged.values(one.states, alphas)[0]), _named_marker(one.look, filled=False), GIVEN))
    points = [(max(cost - best.cost, 0.0), style, label) for cost, style, label in costs if np.isfinite(cost)]
    return sorted(points, key=lambda point: point[0])


def _search_marker() -> dict[str, Any]:
    return {"color": GREY, "marker": "o", "ms": 4, "mfc": "none", "mew": 0.9}


def _named_marker(of: Look, *, filled: bool) -> dict[str, Any]:
    return {"color": of.colour, "marker": of.marker, "ms": 6, "mew": 1.0, "mfc": of.colour if filled else "none"}


def _against_alpha(axes: Axes, end: float) -> None:
    axes.set_xlim(0.0, end)
    axes.set_xlabel(ALPHA)
