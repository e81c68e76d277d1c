"""A problem in a few lines of text."""

import teacher_student as ts


def describe(problem: "ts.Problem") -> str:
    """Say teacher, blocks, student, rates and curriculum of `problem`."""
    task, student, sgd = problem.task, problem.student, problem.sgd
    blocks = ", ".join(
        f"{name} {share:g}" for name, share in zip(problem.inputs.block_names, problem.inputs.fractions, strict=True)
    )
    curriculum = problem.curriculum
    order = ", then ".join(
        f"{name} for {duration:g}"
        for name, duration in zip(curriculum.phase_names(), curriculum.durations, strict=True)
    )
    entries = {name: entry for name, entry in task.to_table().items() if isinstance(entry, (str, int, float))}
    teacher = ", ".join([type(task).__name__, f"M = {task.latents}", *(f"{k} {v}" for k, v in entries.items())])
    rates = f"learning rate {float(sgd.learning_rate):g}"
    for name, rate in (("readout learning rate", sgd.readout_learning_rate), ("weight decay", sgd.weight_decay)):
        rates += f", {name} {float(rate):g}" if rate else ""
    return "\n".join(
        [
            f"problem     teacher: {teacher}; blocks {blocks}",
            f"            student: K = {student.width}, {student.activation.name}; {rates}, {sgd.loss} loss",
            f"            curriculum: {order} (alpha = samples / N)",
        ]
    )
