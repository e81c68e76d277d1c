"""What the field calls a number of a problem: axis labels from dotted names."""

from ._plain_text import plain

LABELS = {
    "sgd.learning_rate": r"learning rate $\eta$",
    "sgd.readout_learning_rate": r"readout learning rate $\eta_v$",
    "sgd.weight_decay": r"weight decay $\gamma$",
    "student.width": r"student width $K$",
    "task.width": r"teacher width $M$",
    "task.noise": r"output noise $\sigma$",
    "simulation.dim": r"dimension $N$",
    "start.scale": r"initial weight scale",
    "curriculum.duration": r"budget $\alpha$ = samples / $N$",
    "seed": "seed",
}


def label_of(key: str) -> str:
    """Return the label of a dotted name, with its symbol and units where it has them."""
    if key in LABELS:
        return LABELS[key]
    parts = [plain(part) for part in key.split(".")]
    if key.startswith("task.levels.") and len(parts) == 4:
        return rf"variance $\Delta$ ({parts[2]}, {parts[3]})"
    if key.startswith("task.fractions."):
        return f"fraction of {parts[-1]} dimensions"
    if key.startswith("curriculum.shares."):
        return f"{parts[-1]} share of the budget"
    if key.startswith("curriculum.phases.") and len(parts) == 4 and parts[2].isdecimal():
        return rf"duration $\alpha$ of phase {int(parts[2]) + 1}"
    if (number := _number_of_schedule(key)) is not None:
        return number
    return plain(key.replace("_", " "))


def _number_of_schedule(key: str) -> str | None:
    """Return the label of a number inside a schedule, such as "sgd.learning_rate.power.scale", or None for others."""
    for depth in (2, 4):  # of a rate or a noise, and of a variance
        head, rest = ".".join(key.split(".")[:depth]), key.split(".")[depth:]
        if len(rest) >= 2 and (head in LABELS or (depth == 4 and head.startswith("task.levels."))):
            if rest[0] == "phases" and len(rest) == 3 and all(part.isdecimal() for part in rest[1:]):
                return f"{label_of(head)}, phase {int(rest[1]) + 1}, entry {int(rest[2]) + 1}"
            return f"{label_of(head)}, {plain(' '.join(rest[1:]))}"
    return None
