"""`simulations.agreement`: do theory and simulation agree? A statistic, a significance and a verdict."""

import dataclasses
import html
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from teacher_student import Breakdown, InputError, Trajectory, entry_names
from teacher_student.internal import PublicRecord, Usual, describe_ties, is_integer, nearest, plot, require_name

from ._broken_symmetry import notes_on_broken_symmetry
from ._comparable import check_comparable, check_predicted, check_trajectories, usable_alphas, without_accuracy
from ._evidence import Deviation, Evidence, dim_of, gather, gather_predicted
from ._independence import check_independent, note_on_improbable_run, notes_on_runs
from ._measured_means import FEWEST_RUNS_TO_FLIP, Responses, measured_means, questions_about_measured, responses_of
from ._moved import Moved, check_moved, moved_at, responses_to_moved
from ._predicted_means import drawn_statistics, predicted_means, questions_about, runs_alone
from ._questions import Family, Question, judged, spread_share
from ._scaling import notes_on_scaling
from ._shifts import Shift, measured_shifts, predicted_shifts
from ._spread import SpreadTest, spread_test
from ._verdict_text import TOO_FEW, passes, verdict_line, verdict_table
from ._where_it_holds import before, first_breakdown

if TYPE_CHECKING:  # half a second to import: only who draws needs it
    import pandas as pd
    from matplotlib.figure import Figure

FEWEST_RUNS = {"measured": 3, "predicted": 2}
SMALL = 10  # overlaps: with K = M = 1 a right theory is rejected in 22 % at N = 4, in 5 % at 20 and in 1 % at 40


@dataclasses.dataclass(frozen=True, repr=False)
class Agreement(PublicRecord):
    """The verdict on a theory trajectory and runs of the same problem.

    Fields:
      agrees: whether p is above the significance, nothing is against, and there is a verdict on all alphas: whether
        `answer` is "AGREE".
      significance: chance of "disagree" where theory is right, over all questions. p: family-wise p-value.
      questions: the answers, a row for each. shifts: what the simulation says of every number of problem and start, and
        what would have been found (`Shift`). unseen: the names of the numbers that move nothing that fluctuates.
      worst_z, threshold_z: largest |z| and the one beyond which theory is rejected, as equally likely normal values.
      deviations: of every quantity at every alpha at which it fluctuates.
      fixed: quantities that do not fluctuate at some alphas, with their largest deviation there.
      dims, runs: dimension N and number of runs, of the simulation and of the smaller one.
      compared_to: the last alpha that is compared: neither theory nor a run has diverged, and theory's expansion in 1/N
        holds. It is 0 where there is none. recorded_to: the last recorded one.
      method: how the questions are judged, in words. notes: what a reader should know beside.
      spread: the test of the predicted spread, if it was used.
      against: what disagrees whatever p is: quantities that do not fluctuate and are off, or runs that diverge alone.
      tie_probability: per level, how often the noiseless label is 0, in theory and simulation alike.
      no_verdict: from where on there is no verdict, and why, in words: theory's expansion in 1/N does not hold there
        (`Trajectory.breakdown`). It is empty where there is a verdict on all alphas.
    """

    agrees: bool
    significance: float
    p: float
    questions: tuple[Question, ...]
    shifts: tuple[Shift, ...]
    unseen: tuple[str, ...]
    worst_z: float
    threshold_z: float
    deviations: tuple[Deviation, ...]
    fixed: dict[str, float]
    dims: tuple[int, ...]
    runs: tuple[int, ...]
    compared_to: float
    recorded_to: float
    method: str
    notes: tuple[str, ...]
    spread: SpreadTest | None = None
    against: tuple[str, ...] = ()
    tie_probability: dict[str, float] = dataclasses.field(default_factory=dict)
    no_verdict: str = ""

    def _words(self) -> str:
        return f"Agreement({self.verdict})"

    def _drawn(self) -> str:
        return f"<pre>{html.escape(self.table)}</pre>"

    @property
    def worst(self) -> Deviation:
        """The deviation with the largest |z|, of all quantities and alphas. There is none where nothing fluctuates."""
        return max(self.deviations, key=lambda one: abs(one.z))

    @property
    def answer(self) -> str:
        """The answer: "AGREE", "DISAGREE", or "NO VERDICT".

        There is none where theory's expansion in 1/N ends before the last alpha, and nothing disagrees before that.
        """
        if self.agrees:
            return "AGREE"
        return "NO VERDICT" if self.no_verdict and (passes(self) or not self.compared_to) else "DISAGREE"

    @property
    def verdict(self) -> str:
        """The verdict in one line of text: the answers, and what they could have seen."""
        return verdict_line(self)

    @property
    def table(self) -> str:
        """The verdict as a table in text: a row for each question, each number's shift, and each quantity."""
        return verdict_table(self)

    def shift(self, name: str) -> Shift:
        """Return the implied shift of the number `name`. Raises InputError for one that the comparison cannot see."""
        names = [shift.name for shift in self.shifts]
        if name not in names:
            what = "one that moves nothing" if name in self.unseen else repr(name)
            raise InputError(f"a number that this comparison can see, such as {names[:3]}", what, nearest(name, names))
        return self.shifts[names.index(name)]

    def plot(self, ax: Any = None, level: Any = None, quantities: Any = None) -> "tuple[Figure, np.ndarray]":
        """Draw |z| of every deviation below the threshold that alone rejects theory, and the shift of every number.

        A shift is drawn with its standard error, in units of the smallest shift that would be seen.

          agreement = simulations.agreement(theory, runs)
          figure, axes = agreement.plot(level="hard")

        Arguments:
          ax: two matplotlib Axes as an array, or one for the deviations alone. None: a new figure.
          level: one level or several of errors and accuracies. None: all.
          quantities: whose deviations: "error", "accuracy", "Q", "R", "readout", full names, or a list. None: all.
        Returns a matplotlib Figure and a flat array of its Axes. Raises InputError for names that are not there.
        """
        return plot(self, ax=ax, level=level, quantities=quantities)

    def to_dataframe(self) -> "pd.DataFrame":
        """Return the deviations as a tidy table of pandas: a row for each quantity, at each alpha where it fluctuates.

        The columns are the fields of `Deviation`: name, kind, alpha, theory, simulation, standard_error,
        sampling_error, allowance, allowance_error, z, predicted_spread and detectable. The spread is NaN where it is
        measured, and what is detectable is NaN but for differences of two simulations.
        `frame.attrs["units"]` has the unit of each column of numbers.

          frame = agreement.to_dataframe()
          frame.groupby("name")["z"].agg(lambda z: z.abs().max())

        Returns a pandas DataFrame.
        """
        from ._data_frame import deviations_to_data_frame

        return deviations_to_data_frame(self.deviations)

    def to_dict(self) -> dict[str, Any]:
        """Return everything in it as numbers, strings, lists and dicts, by the names of the fields.

        `verdict` and `number_of_deviations` are added. It is what report.json holds.
        """
        return dataclasses.asdict(self) | {"verdict": self.verdict, "number_of_deviations": len(self.deviations)}

    def to_json(self) -> str:
        """Return `to_dict` as JSON; it has no NaN, which JSON does not know."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)


def agreement(
    theory: Trajectory,
    runs: Trajectory,
    smaller: Trajectory | None = None,
    *,
    spread: str | None = None,
    moved: Mapping[str, Moved] | None = None,
    significance: float = Usual.significance,
    seed: int = 0,
) -> Agreement:
    r"""Compare theory with runs, at one family-wise significance over all questions that the data allow.

    Three questions are asked of the means: the largest |z| of any quantity at any alpha, chi^2 of all deviations
    together, and the shift that the simulation implies of every number of problem and start, or of those in `moved`
    (`Agreement.shifts`), which sees a small error that is everywhere. Each row says what it found and what it could
    have found.

    With `smaller` (runs of the same problem and start at a dimension N' < N) the 1/N term of every quantity is
    measured and taken out: a pair of runs, one at each N, gives the sample
      x = (N x_N - N' x_N') / (N - N')        (mean: the limit N -> infinity, up to O(1/N^2))
    whose mean over pairs is compared with theory in units of its standard error, as a Student t. Without
    `smaller` the runs themselves are the samples, and any 1/N term counts as a deviation. All three questions need 12
    runs; with fewer, the largest |z| is judged alone. Shifts need a theory of `ode.fluctuations`, or `moved` theories.

    With spread="predicted" the joint law of the runs and the 1/N term are those that `ode.fluctuations` states, so that
    four runs are enough. A fourth question is then the spread itself (`Agreement.spread`). Predictions are of leading
    order in 1/N: thousands of runs at small N see the next order. Means are taken as normal, which errors of polynomial
    students on few test samples are not: raise the test samples.

    Accuracies that theory was not asked for are left out, and so are alphas at which theory or a run has diverged. A
    run that diverges where theory does not is a disagreement.

    There is no verdict from the first alpha on at which the expansion in 1/N of a theory with fluctuations does not
    hold at the runs' N (`Trajectory.breakdown`): what it predicts there is impossible, so that runs can neither agree
    nor disagree with it. The alphas before are judged, and `answer` is "NO VERDICT" unless they disagree. A theory of
    `ode.solve` does not know where that is. A note then says where runs from one start part each in its own direction.

    Arguments:
      theory: a trajectory of `ode.solve` or `ode.fluctuations`, which has recorded the alphas of `runs`.
      runs: a trajectory of `simulations.run` at dimension N; its alphas are compared (alpha = samples / N).
      smaller: one at a smaller dimension, which has recorded these alphas too; None: no 1/N term is taken out.
      spread: "measured" or "predicted", the standard deviation over runs in which deviations are counted. None: the
        predicted one, which is sharper, where theory has fluctuations and there are no `smaller` runs.
      moved: for a theory of `ode.solve`, {name of a number: simulations.Moved}, solves in which this number has another
        value. Their differences from theory are the responses by which shifts are implied. The question about shifts
        is then one of these numbers, and p depends on which they are: choose them before you look.
      significance: chance of "disagree" where theory is right. seed: of the draws and sign flips.
    Returns an Agreement.
    Raises InputError for trajectories that cannot be compared: of other problems, starts or alphas, or of too few runs.
    Source: Westfall & Young 1993 (min-p); Rao 1948 (score tests).
    """
    check_trajectories(theory, runs, smaller)
    if not is_integer(seed) or seed < 0:
        raise InputError("seed an integer >= 0", repr(seed))
    spread = _sharpest(theory, smaller) if spread is None else spread
    require_name(spread, FEWEST_RUNS, "spread")
    if moved is not None:
        check_moved(moved, theory)
        if theory.fluctuations is not None:
            remedy = "leave out moved="
            raise InputError("moved= for a theory of ode.solve", "one of ode.fluctuations, with its own", remedy)
        if (runs.runs or 0) < FEWEST_RUNS_TO_FLIP:
            raise InputError(f"at least {FEWEST_RUNS_TO_FLIP} runs for the shifts of moved=", runs.runs)
    if spread == "predicted":
        check_predicted(theory, runs, smaller)
    check_comparable(theory, runs, smaller, significance, FEWEST_RUNS[spread])
    check_independent(runs, smaller)
    solver = "solve" if theory.fluctuations is None else "fluctuations"
    theory = theory.at(runs.alphas, f"solve the theory at the runs' own: ode.{solver}(problem, start, runs.alphas)")
    if smaller is not None:
        smaller = smaller.at(runs.alphas, "take alphas that are whole numbers of steps (1/N each) at both dimensions")
    if not theory.accuracy:
        runs, smaller = without_accuracy(runs), None if smaller is None else without_accuracy(smaller)
    usable, notes, split = usable_alphas(theory, runs, smaller)
    end = first_breakdown(theory, runs, smaller)
    usable &= before(end, theory)
    simulated = [x for x in (runs, smaller) if x is not None]
    if not np.any(usable & (np.asarray(theory.alphas) > 0)):
        return _without_verdict(theory, simulated, significance, notes, end)
    if spread == "predicted":
        answers = _predicted(theory, runs, usable, significance, seed)
    else:
        answers = _measured(theory, runs, smaller, usable, moved, significance, seed)
    notes += _notes_on_sizes(runs, smaller) + notes_on_broken_symmetry(theory, runs, usable, seed)
    return agreement_of(answers, theory, simulated, significance, notes, split=split, end=end)


def _sharpest(theory: Trajectory, smaller: Trajectory | None) -> str:
    """Return the spread by which the data allow the sharpest questions."""
    predicted = theory.fluctuations is not None and theory.fluctuations.laws is not None
    return "predicted" if predicted and smaller is None else "measured"


def agreement_of(
    answers: "Answers",
    theory: Trajectory,
    simulated: Sequence[Trajectory],
    significance: float,
    notes: list[str],
    *,
    split: bool,
    end: Breakdown | None = None,
) -> Agreement:
    """Return the verdict that comes of the answers.

    Arguments: split: whether runs diverge where theory does not. end: where theory's expansion in 1/N ends, if it does.
    """
    evidence, family, ties = answers.evidence, answers.family, theory.tie_probability
    off = evidence.fixed_but_off
    against = [f"{name} does not fluctuate and differs from theory by {evidence.fixed[name]:.1e}" for name in off]
    if split:
        against.append("runs diverge where theory does not")
    notes += [f"theory states no spread of {name} at some alphas: not compared there" for name in evidence.unknown]
    notes += notes_on_runs(evidence) + _notes_on_ties(ties) + _notes_on_sampling(evidence)
    notes += _notes_on_replicates(theory) + _notes_on_size(evidence, theory, simulated)
    return Agreement(
        agrees=bool(family.p > significance and not against and end is None),
        significance=significance,
        p=family.p,
        questions=family.questions,
        shifts=answers.shifts,
        unseen=answers.unseen,
        worst_z=float(np.max(np.abs(answers.z), initial=0.0)),
        threshold_z=answers.threshold_z,
        deviations=tuple(
            evidence.deviation(column, value)
            for column, value in zip(np.flatnonzero(evidence.moving), answers.z, strict=True)
        ),
        fixed=evidence.fixed,
        dims=tuple(map(dim_of, simulated)),
        runs=tuple(int(trajectory.runs or 0) for trajectory in simulated),
        compared_to=float(evidence.alphas[-1]),
        recorded_to=float(theory.alphas[-1]),
        method=answers.method,
        notes=(*notes, *answers.notes),
        spread=answers.spread,
        against=tuple(against),
        tie_probability=ties,
        no_verdict="" if end is None else end.since,
    )


def _without_verdict(
    theory: Trajectory,
    simulated: Sequence[Trajectory],
    significance: float,
    notes: list[str],
    end: Breakdown | None,
) -> Agreement:
    """Return what there is to say where theory's expansion in 1/N holds at no recorded alpha: nothing is compared."""
    assert end is not None  # `usable_alphas` has left some alpha > 0
    return Agreement(
        agrees=False,
        significance=significance,
        p=1.0,
        questions=(),
        shifts=(),
        unseen=(),
        worst_z=0.0,
        threshold_z=0.0,
        deviations=(),
        fixed={},
        dims=tuple(map(dim_of, simulated)),
        runs=tuple(int(trajectory.runs or 0) for trajectory in simulated),
        compared_to=0.0,
        recorded_to=float(theory.alphas[-1]),
        method="nothing is compared",
        notes=tuple(notes),
        tie_probability=theory.tie_probability,
        no_verdict=end.since,
    )


class Answers(NamedTuple):
    """What one way of judging says: z of the moving columns and its threshold, and the answers to all questions."""

    evidence: Evidence
    z: np.ndarray
    threshold_z: float
    family: Family
    shifts: tuple[Shift, ...]
    unseen: tuple[str, ...]
    spread: SpreadTest | None
    method: str
    notes: tuple[str, ...]


def _predicted(theory: Trajectory, runs: Trajectory, usable: np.ndarray, significance: float, seed: int) -> Answers:
    """Judge by the joint law that theory predicts."""
    evidence = gather_predicted(theory, runs, usable)
    means = predicted_means(theory, runs, evidence)
    asked = questions_about(means, drawn_statistics(means, seed))
    spread = spread_test(evidence, evidence.moving, significance * spread_share(len(asked)))
    family = judged(asked, spread, significance, seed)
    shifts = predicted_shifts(means, family, seed)
    method = "joint law of the predicted fluctuations, min-p over the questions"
    threshold = family.threshold("largest") if asked else 0.0
    notes = tuple(note_on_improbable_run(runs_alone(theory, runs, evidence)))
    return Answers(evidence, means.z, threshold, family, shifts, means.unseen, spread, method, notes)


def _measured(
    theory: Trajectory,
    runs: Trajectory,
    smaller: Trajectory | None,
    usable: np.ndarray,
    moved: Mapping[str, Moved] | None,
    significance: float,
    seed: int,
) -> Answers:
    """Judge by the spread of the runs themselves."""
    evidence = gather(theory, runs, smaller, usable)
    if moved is None:
        responses = responses_of(theory, evidence)
    else:
        responses = responses_to_moved(moved_at(moved, theory), evidence, usable)
    answers = answers_by_measured_spread(evidence, responses, significance, seed)
    if smaller is None:
        return answers
    return answers._replace(notes=(*answers.notes, *notes_on_scaling(evidence, (dim_of(runs), dim_of(smaller)), seed)))


def answers_by_measured_spread(evidence: Evidence, responses: Responses, significance: float, seed: int) -> Answers:
    """Judge by the spread of the runs themselves; z and threshold are given as the equally likely normal values."""
    means = measured_means(evidence, responses)
    asked = questions_about_measured(means, seed)
    family = judged(asked, None, significance, seed)
    threshold = family.threshold("largest") if asked else 0.0
    shifts = measured_shifts(means, family) if "numbers" in asked else ()
    notes: tuple[str, ...] = ()
    if not asked:
        method = "nothing fluctuates"
    elif len(asked) == 1:
        method = f"Bonferroni bound on Student's t, {means.runs - 1} degrees of freedom"
        notes = (f"only the largest |z| is asked: the other questions need {FEWEST_RUNS_TO_FLIP} runs",)
    else:
        method = "sign flips of whole runs, min-p over the questions"
    return Answers(evidence, means.z, threshold, family, shifts, means.unseen, None, method, notes)


def _notes_on_ties(ties: dict[str, float]) -> list[str]:
    """Say what both engines have in common, so that no comparison of them can show it."""
    words = describe_ties(ties)
    return [f"ties: {words}; no output is right there, so accuracy cannot reach 1"] if words else []


def _notes_on_replicates(theory: Trajectory) -> list[str]:
    """Say where theory's own error is not known, as its averages have one scrambling."""
    error = theory.sampling_error
    if error is None or np.any(np.isfinite(np.asarray(error.overlaps.Q))):
        return []
    return ["theory's sampling error is not known from one scrambling, and taken as 0: take ode.Sampled(replicates=4)"]


def _notes_on_size(evidence: Evidence, theory: Trajectory, simulated: Sequence[Trajectory]) -> list[str]:
    """Say where N is so small that the next order in 1/N is seen."""
    entries = len(entry_names(theory.problem))
    if evidence.spread is None or dim_of(simulated[0]) >= SMALL * entries:
        return []
    return [
        f"N = {dim_of(simulated[0])} is below {SMALL} {TOO_FEW}, {entries}: "
        "the next order in 1/N, which is not predicted, makes false alarms"
    ]


def _notes_on_sampling(evidence: Evidence) -> list[str]:
    standard = evidence.samples.std(axis=0, ddof=1) / np.sqrt(len(evidence.samples))
    exceeds = (evidence.sampling > standard)[evidence.moving]
    share = float(np.mean(exceeds)) if exceeds.size else 0.0
    if share < 0.1:
        return []
    return [
        f"theory's sampling error exceeds the simulation's in {share:.0%} of the comparisons: "
        "raise the points of ode.Sampled"
    ]


def _notes_on_sizes(runs: Trajectory, smaller: Trajectory | None) -> list[str]:
    """Say whether N_b / N differs from the fractions: then the simulated problem is not quite the one solved."""
    notes = []
    for trajectory in (runs, smaller):
        if trajectory is None:
            continue
        inputs, dim = trajectory.problem.inputs, dim_of(trajectory)
        fractions = np.asarray(inputs.fractions)
        off = np.max(
            np.abs(np.array(inputs.sizes(dim, trajectory.problem.task.latents)) / dim - fractions)[fractions > 0]
        )
        if off > 1e-9 and not np.any(fractions == 0):
            notes.append(f"block sizes at N = {dim} differ from the fractions by up to {off:.2g}: take an N that fits")
    return notes
