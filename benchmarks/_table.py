"""The table, for the terminal and for Markdown."""

from collections.abc import Mapping, Sequence

from ._records import Curve, Row

HEADINGS = ("engine", "size", "time", "speed", "target", "of the limit", "compile", "memory", "check")

MEANING = (
    "target: the speed that was asked for; missed: the median is below it.",
    "check: the largest difference from what the row is compared with, of the difference that is allowed.",
)


def table(found: Sequence[Row | Curve], machine: Mapping[str, str], *, times: bool = True) -> str:
    """Aligned text. times: False leaves everything but the checks out."""
    rows = [each for each in found if isinstance(each, Row)]
    chosen = HEADINGS if times else ("engine", "size", "check")
    lines = [chosen, *([dict(zip(HEADINGS, cells(row), strict=True))[h] for h in chosen] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(chosen))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    growth = _growth(found)
    if growth:
        text += ["", "growth, seconds ~ size^p:", *(f"  {line}" for line in growth)]
    notes = [f"  {row.size}: {row.note}" for row in rows if row.note and row.seconds is not None]
    text += ["", "notes:", *notes] if notes else []
    text += ["", *MEANING[0 if times else 1 :]]
    return "\n".join([*text, "", *(f"{key + ':':11}{value}" for key, value in machine.items())])


def markdown(found: Sequence[Row | Curve], machine: Mapping[str, str]) -> str:
    """The same for a page, without the checks."""
    rows = [each for each in found if isinstance(each, Row) and each.seconds is not None]
    kept = HEADINGS[:-1]
    lines = ["| " + " | ".join(kept) + " |", "|" + "---|" * len(kept)]
    lines += ["| " + " | ".join(cells(row)[: len(kept)]) + " |" for row in rows]
    growth = _growth(found)
    if growth:
        lines += ["", "Growth, seconds ~ size^p: " + "; ".join(growth) + "."]
    lines += [
        "",
        f"*{'; '.join(machine.values())}.*",
    ]
    return "\n".join(lines)


def cells(row: Row) -> tuple[str, ...]:
    """One line of the table."""
    if row.seconds is None:
        return row.engine, row.size, *[""] * (len(HEADINGS) - 3), row.note
    return (
        row.engine,
        row.size,
        f"{duration(row.seconds)} / {row.unit}",
        "" if row.yardstick is None else f"{_factor(row.yardstick.median)} {row.yardstick.over}",
        "" if row.target is None else f"{_factor(row.target)}{'' if _met(row) else ' missed'}",
        "" if row.limit is None else f"{100 * row.limit.median:.0f} % of {row.limit.over}",
        "" if row.compile_seconds is None else f"{max(row.compile_seconds, 0.0):.1f} s",
        "" if row.memory is None else f"{row.memory / 1e9:.2f} GB",
        "" if row.check is None else f"{'agrees' if row.check.agrees else 'DISAGREES'} ({_words(row)})",
    )


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _met(row: Row) -> bool:
    return row.yardstick is None or row.target is None or row.yardstick.median >= row.target


def _factor(ratio: float) -> str:
    return f"{ratio:.3g} x" if ratio > 0.7 else f"1/{1 / ratio:.2g} x"


def _words(row: Row) -> str:
    assert row.check is not None
    return f"{row.check.deviation:.1g} of {row.check.tolerance:.1g}, {row.check.against}"


def _growth(found: Sequence[Row | Curve]) -> list[str]:
    return [
        f"{each.label}: p = {each.fit} from {each.axis.split(' (')[0].split()[-1]} = {each.fit.first:.3g}"
        f" to {each.sizes[-1]:.3g}"
        for each in found
        if isinstance(each, Curve) and each.fit is not None
    ]
