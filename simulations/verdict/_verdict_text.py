"""The verdict in words: one line, and a table with a row for each question, each number and each quantity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from teacher_student.internal import label_of

if TYPE_CHECKING:
    from ._agreement import Agreement
    from ._evidence import Deviation
    from ._shifts import Shift

BLIND = 0.1  # a learning rate that is so far off, relative to its value, should be seen
FAR = 3.0  # standard errors
TOO_FEW = "times the number of overlaps"  # in the note on an N that is too small
COUNTS = {2: "two", 3: "three", 4: "four"}  # questions
RATES = ("sgd.learning_rate", "sgd.readout_learning_rate", "sgd.weight_decay")  # what a verdict's line speaks of


def verdict_line(agreement: Agreement) -> str:
    """Return the verdict in one line: the answer, its statistics, and what it could have seen.

    Where there is none from some alpha on, that comes first, and then the verdict on the alphas before.
    """
    if not agreement.no_verdict:
        return _line_of_compared(agreement)
    line = f"NO VERDICT {agreement.no_verdict}"
    return f"{line}. Before that: {_line_of_compared(agreement)}" if agreement.compared_to else line


def passes(agreement: Agreement) -> bool:
    """Return whether theory passes on the alphas that are compared."""
    return agreement.p > agreement.significance and not agreement.against and agreement.compared_to > 0


def _line_of_compared(agreement: Agreement) -> str:
    word = "AGREE" if passes(agreement) else "DISAGREE"
    if passes(agreement) and is_blind(agreement):
        shift = agreement.shift(RATES[0])
        word += f", but a {shift.label} {shift.in_words(shift.detectable)} off could have been missed"
    elif passes(agreement) and _misses_any_difference(agreement):
        word += ", but that there is no difference at all could have been missed"
    elif passes(agreement) and agreement.deviations and not _last_differences(agreement) and not agreement.shifts:
        word += ", but what could have been missed is not known (a theory of ode.fluctuations says it)"
    if agreement.compared_to < agreement.recorded_to and not agreement.no_verdict:
        word += f" up to alpha {agreement.compared_to:g} of {agreement.recorded_to:g}, where the first diverged"
    if agreement.against:
        word += f" ({'; '.join(agreement.against)})"
    if not agreement.deviations:
        return f"{word}: no quantity fluctuates; largest deviation {max(agreement.fixed.values()):.1e}"
    text = f"{word}: p = {agreement.p:.3g} at significance {agreement.significance:g} over {_questions(agreement)}"
    text += (
        f"; largest |z| {agreement.worst_z:.2f} of {len(agreement.deviations)} deviations "
        f"({agreement.worst.name} at alpha {agreement.worst.alpha:g})"
    )
    if agreement.shifts:
        # A number that is 0, such as a decay that is not there, is named only where the runs speak for it.
        far = [shift for shift in agreement.shifts if shift.value or abs(shift.z) > FAR]
        furthest = max(far or agreement.shifts, key=lambda shift: abs(shift.z))
        text += f"; most suspicious number: {furthest.text}"
    return text + _what_it_sees(agreement) + _small_dim(agreement)


def _small_dim(agreement: Agreement) -> str:
    """Say where N is so small that the verdict may err: who reads this line alone does not see the notes."""
    notes = [note.partition(":")[0] for note in agreement.notes if TOO_FEW in note]
    return f"; {notes[0]}, which makes false alarms" if notes else ""


def _last_differences(agreement: Agreement) -> list[Deviation]:
    """Return the errors at the last alpha, of a difference that says by how much each of them may be off."""
    last = [one for one in agreement.deviations if one.alpha == agreement.compared_to]
    return [one for one in last if one.kind == "error" and one.detectable is not None]


def _misses_any_difference(agreement: Agreement) -> bool:
    """Return whether every error's difference is smaller than what would have been seen."""
    differences = _last_differences(agreement)
    return bool(differences) and all((one.detectable or 0.0) > abs(one.theory) for one in differences)


def is_blind(agreement: Agreement) -> bool:
    """Return whether a learning rate that is off by BLIND could have been missed."""
    rates = [shift for shift in agreement.shifts if shift.name == RATES[0]]
    return any(shift.detectable > BLIND * abs(shift.value) for shift in rates)


def _questions(agreement: Agreement) -> str:
    count = len(agreement.questions)
    return f"{count} questions" if count > 1 else "one question"


def _what_it_sees(agreement: Agreement) -> str:
    """Say the worst of the rates that would have been seen, each if it were off alone."""
    differences = _last_differences(agreement)
    if differences:
        seen = ", ".join(f"{one.name} {one.detectable:.2g} off its {one.theory:+.2g}" for one in differences)
        return f"; would have seen at alpha {agreement.compared_to:g} (9 times in 10): {seen}"
    rates = [shift for shift in agreement.shifts if shift.name in RATES and shift.value]
    if not rates or (passes(agreement) and is_blind(agreement)):  # which has been said first
        return ""
    worst = max(rates, key=lambda shift: shift.detectable / abs(shift.value))
    return f"; would have seen a {worst.label} {worst.in_words(worst.detectable)} off (9 times in 10)"


def verdict_table(agreement: Agreement) -> str:
    """Return the table: questions, then numbers, then quantities with their worst deviation, then notes."""
    parts = [_rows_of_questions(agreement), _rows_of_shifts(agreement), _rows_of_quantities(agreement)]
    notes = [f"note: {note}" for note in agreement.notes]
    return "\n".join("\n".join(rows) for rows in (*parts, notes) if rows)


def _rows_of_questions(agreement: Agreement) -> list[str]:
    head = f"{'question':<58}{'statistic':>11}{'threshold':>11}{'p':>10}"
    rows = [
        f"{question.text:<58}{question.statistic:>11.4g}{question.threshold:>11.4g}{question.p:>10.3g}"
        for question in agreement.questions
    ]
    if len(rows) > 1:
        rows.append(f"{f'the verdict: one p for all {COUNTS[len(rows)]} questions (min-p)':<80}{agreement.p:>10.3g}")
    return [head, "-" * len(head), *rows, ""] if rows else []


def _rows_of_shifts(agreement: Agreement) -> list[str]:
    if not agreement.shifts:
        return []
    head = f"{'number':<34}{'value':>10}{'implied shift':>28}{'z':>7}{'would be seen':>16}"
    return [head, "-" * len(head), *map(_row_of_shift, agreement.shifts), *_rows_of_unseen(agreement), ""]


def _row_of_shift(shift: Shift) -> str:
    implied = f"{shift.in_words(shift.shift, '+')} +- {shift.in_words(shift.standard_error)}"
    return f"{shift.label:<34}{shift.value:>10.4g}{implied:>28}{shift.z:>7.2f}{shift.in_words(shift.detectable):>16}"


def _rows_of_unseen(agreement: Agreement) -> list[str]:
    names = ", ".join(map(label_of, agreement.unseen))
    return [f"cannot be judged from these runs: {names}"] if names else []


def _rows_of_quantities(agreement: Agreement) -> list[str]:
    if not agreement.compared_to:
        return []
    predicted = agreement.method.startswith("joint law")
    error = f"{'predicted error':>17}" if predicted else ""
    means = f"{'theory':>12}{'simulation +- measured':>24}{'1/N term':>24}"
    head = f"{'quantity':<24}{'alpha':>8}{means}{error}{'worst z':>9}"
    rows = [head, "-" * len(head)]
    for name in dict.fromkeys(one.name for one in agreement.deviations):
        worst = max((one for one in agreement.deviations if one.name == name), key=lambda one: abs(one.z))
        simulated = f"{worst.simulation:.5f} +- {worst.standard_error:.5f}"
        term, its_error = worst.allowance, worst.allowance_error
        allowance = f"{term:+.5f} +- {its_error:.5f}" if len(agreement.dims) > 1 else "not measured"
        if predicted or (allowance == "not measured" and term):
            allowance = f"{term:+.2e} +- {its_error:.0e}"
        error = f"{_predicted_error(agreement, worst):>17.5f}" if predicted else ""
        numbers = f"{worst.alpha:>8.4g}{worst.theory:>12.5f}{simulated:>24}{allowance:>24}{error}{worst.z:>9.2f}"
        rows.append(f"{name:<24}{numbers}")
    if agreement.fixed:
        largest = max(agreement.fixed.values())
        rows.append(f"do not fluctuate (at some alpha): {', '.join(agreement.fixed)}; largest deviation {largest:.1e}")
    with_term = len(agreement.dims) > 1 or any(one.allowance for one in agreement.deviations)
    excess = "simulation - 1/N term" if with_term else "simulation"
    pairs = "over pairs of runs, one at each N" if len(agreement.dims) > 1 else "over the runs"
    error = "predicted error" if predicted else f"standard error {pairs}, as the equally likely normal value"
    return [*rows, f"z = ({excess} - theory) / its {error}; each quantity at its worst alpha"]


def _predicted_error(agreement: Agreement, deviation: Deviation) -> float:
    """Return the standard error of the mean over the runs that theory predicts, with theory's own sampling error."""
    return math.hypot((deviation.predicted_spread or 0.0) / math.sqrt(agreement.runs[0]), deviation.sampling_error)
