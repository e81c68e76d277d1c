"""A problem in a few lines of text."""

import dataclasses

import teacher_student as ts


def describe(problem: "ts.Problem") -> str:
    """Say teacher, blocks, student, rates and curriculum of `problem`."""
    task, student, sgd = problem.task, problem.student, problem.sgd
    blocks = ", ".join(
        f"{name} {share:g}" for name, share in zip(problem.inputs.block_names, problem.inputs.fractions, strict=True)
    )
    entries = {name: entry for name, entry in task.to_table().items() if isinstance(entry, (str, int, float))}
    if entries.get("width") == task.latents:  # it is M, which is said before
        del entries["width"]
    teacher = ", ".join([type(task).__name__, f"M = {task.latents}", *(f"{k} {v}" for k, v in entries.items())])
    rates = f"learning rate {_in_text(sgd.learning_rate)}"
    for field in dataclasses.fields(sgd):
        rate = getattr(sgd, field.name)
        if field.name != "learning_rate" and not isinstance(rate, str) and rate:
            rates += f", {field.name.replace('_', ' ')} {_in_text(rate)}"
    return "\n".join(
        [
            f"problem     teacher: {teacher}; blocks {blocks}",
            f"            student: K = {student.width}, {student.activation.name}; {rates}, {sgd.loss} loss",
            f"            curriculum: {problem.curriculum.in_text()} (alpha = samples / N)",
        ]
    )


def _in_text(rate: "float | ts.Schedule") -> str:
    return f"({rate.in_text()})" if isinstance(rate, ts.Schedule) else f"{float(rate):g}"
