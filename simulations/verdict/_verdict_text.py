"""The verdict in words: one line, and a table with a row for each question, each number and each quantity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teacher_student.internal import label_of

if TYPE_CHECKING:
    from ._agreement import Agreement
    from ._shifts import Shift

BLIND = 0.1  # a learning rate that is so far off, relative to its value, should be seen
FAR = 3.0  # standard errors
RATES = ("sgd.learning_rate", "sgd.readout_learning_rate", "sgd.weight_decay")  # what a verdict's line speaks of


def verdict_line(agreement: Agreement) -> str:
    """Return the verdict in one line: the answer, its statistics, and what it could have seen."""
    word = "AGREE" if agreement.agrees else "DISAGREE"
    if agreement.agrees and is_blind(agreement):
        shift = agreement.shift(RATES[0])
        word += f", but a {shift.label} {shift.in_words(shift.detectable)} off could have been missed"
    elif agreement.agrees and agreement.deviations and not agreement.shifts:
        word += ", but what could have been missed is not known (a theory of ode.fluctuations says it)"
    if agreement.compared_to < agreement.recorded_to:
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
        which = "of a number that is not 0" if far and len(far) < len(agreement.shifts) else ""
        text += f"; furthest shift{f' {which}' if which else ''}: {furthest.text}"
    return text + _what_it_sees(agreement)


def is_blind(agreement: Agreement) -> bool:
    """Return whether a learning rate that is off by BLIND could have been missed."""
    rates = [shift for shift in agreement.shifts if shift.name == RATES[0]]
    return any(shift.detectable > BLIND * abs(shift.value) for shift in rates)


def _questions(agreement: Agreement) -> str:
    count = len(agreement.questions)
    return f"{count} questions" if count > 1 else "one question"


def _what_it_sees(agreement: Agreement) -> str:
    """Say the worst of the rates that would have been seen, each if it were off alone."""
    rates = [shift for shift in agreement.shifts if shift.name in RATES and shift.value]
    if not rates or (agreement.agrees and is_blind(agreement)):  # which has been said first
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
        rows.append(f"{'the verdict: the smallest p of these, ranked among draws':<80}{agreement.p:>10.3g}")
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
    return [f"move nothing that fluctuates: {', '.join(map(label_of, agreement.unseen))}"] if agreement.unseen else []


def _rows_of_quantities(agreement: Agreement) -> list[str]:
    head = f"{'quantity':<24}{'alpha':>8}{'theory':>12}{'simulation':>24}{'1/N term':>24}{'worst z':>9}"
    rows = [head, "-" * len(head)]
    predicted = agreement.method.startswith("joint law")
    for name in dict.fromkeys(one.name for one in agreement.deviations):
        worst = max((one for one in agreement.deviations if one.name == name), key=lambda one: abs(one.z))
        simulated = f"{worst.simulation:.5f} +- {worst.standard_error:.5f}"
        term, its_error = worst.allowance, worst.allowance_error
        allowance = f"{term:+.5f} +- {its_error:.5f}" if len(agreement.dims) > 1 else "not measured"
        if predicted or (allowance == "not measured" and term):
            allowance = f"{term:+.2e} +- {its_error:.0e}"
        rows.append(f"{name:<24}{worst.alpha:>8.4g}{worst.theory:>12.5f}{simulated:>24}{allowance:>24}{worst.z:>9.2f}")
    if agreement.fixed:
        largest = max(agreement.fixed.values())
        rows.append(f"do not fluctuate (at some alpha): {', '.join(agreement.fixed)}; largest deviation {largest:.1e}")
    with_term = len(agreement.dims) > 1 or any(one.allowance for one in agreement.deviations)
    excess = "simulation - 1/N term" if with_term else "simulation"
    error = "predicted standard error" if predicted else "standard error over the runs"
    return [*rows, f"z = ({excess} - theory) / its {error}, each quantity at its worst alpha"]
