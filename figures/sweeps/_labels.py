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
    return plain(key.replace("_", " "))
