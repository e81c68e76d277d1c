"""Objects that print what they are: fields with their values, arrays in a few words, as text and as HTML.

A text is for reading; `eval` cannot read it. It never computes, warns or fails: numbers that are being traced are named
by their type, and NaN are counted. A class may say what it shows (`_shown`, names and values), all of itself in one
line (`_words`, a method), or a picture for HTML (`_drawn`, a method that returns an element).
"""

import dataclasses
import html
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

WIDTH = 100  # of a line
FEW = 12  # numbers of an array that are written out
LONG = 200  # characters of a text that are shown
BESIDE = 70  # characters beside the name of what is closed
MOST = 100  # members of a tuple that HTML can open
STYLE = "font-family: monospace; line-height: 1.5; overflow-wrap: anywhere"  # of HTML; long lines are broken


def text_of(instance: Any) -> str:
    """Return the name of the instance's class and its fields, in one line where that is short, else a line a field."""
    return "\n".join(_lines(instance))


def html_of(instance: Any) -> str:
    """Return the same as nested HTML, in which every field that has fields of its own can be opened."""
    return f'<div style="{STYLE}">{_html(type(instance).__name__, instance, "")}</div>'


def shown_fields(instance: Any) -> list[tuple[str, Any]]:
    """Return names and values of what a reader wants to see: what the class's `_shown` returns, else all fields."""
    own: list[tuple[str, Any]] | None = _own(instance, "_shown")
    if own is not None:
        return own
    return [(field.name, getattr(instance, field.name, None)) for field in dataclasses.fields(instance)]


def _own(instance: Any, hook: str) -> Any:
    """Return what a class's own method says, or None: a tree may hold anything in place of its numbers.

    Derivatives have a further axis, and what is filtered out of a tree leaves None behind.
    """
    method = getattr(type(instance), hook, None)
    try:
        return None if method is None else method(instance)
    except Exception:
        return None


def _lines(value: Any, name: str = "") -> list[str]:
    """Return the lines of a value, whose first begins with `name`."""
    short = name + in_words(value)
    parts = _parts(value)
    if len(short) <= WIDTH or not parts:
        return [short]
    opening, closing, members = parts
    inner = [line for label, member in members for line in _indented(_lines(member, label))]
    return [name + opening, *inner, closing]


def _indented(lines: list[str]) -> Iterator[str]:
    for i, line in enumerate(lines):
        yield f"  {line}" + ("," if i == len(lines) - 1 else "")


def _parts(value: Any) -> tuple[str, str, list[tuple[str, Any]]] | None:
    """Return opening, closing, and labelled members of what can be written on several lines."""
    if _has_fields(value):
        if _own(value, "_words") is not None:
            return None
        return f"{type(value).__name__}(", ")", [(f"{name}=", each) for name, each in shown_fields(value)]
    if isinstance(value, Mapping) and value:
        return "{", "}", [(f"{_shortened(repr(key))}: ", each) for key, each in value.items()]
    if isinstance(value, (tuple, list)) and any(_has_fields(each) for each in value) and len(value) <= FEW:
        return "(", ")", [("", each) for each in value]
    return None


def in_words(value: Any) -> str:
    """Return a value in one line."""
    if _has_fields(value):
        own: str | None = _own(value, "_words")
        if own is not None:
            return own
        return f"{type(value).__name__}({', '.join(f'{n}={in_words(each)}' for n, each in shown_fields(value))})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_shortened(repr(key))}: {in_words(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        if len(value) > FEW:
            return f"({in_words(value[0])}, {in_words(value[1])}, ..., {in_words(value[-1])}; {len(value)} of them)"
        inside = ", ".join(map(in_words, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return array_in_words(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if callable(value):
        return str(getattr(value, "__qualname__", type(value).__name__))
    return _shortened(repr(value))


def array_in_words(array: Any) -> str:
    """Return an array's numbers where they are few, else its shape and range."""
    try:
        values = np.asarray(array)
    except Exception:  # it is being traced: it has a type, and no numbers yet
        return f"{array.dtype}{list(array.shape)}"
    if values.dtype.kind not in "biufc" or (values.dtype.kind == "c" and values.size > FEW):
        return f"{values.dtype}{list(values.shape)}"
    if values.size <= FEW:
        return _numbers(values)
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    extent = f", {known.min():.4g} to {known.max():.4g}" if known.size else ""
    missing = values.size - known.size
    return f"array {values.shape}{extent}" + (f", {missing} not finite" if missing else "")


def _numbers(values: np.ndarray) -> str:
    if values.ndim:
        return "[" + ", ".join(_numbers(each) for each in values) + "]"
    return f"{values.item():.6g}" if values.dtype.kind in "fc" else str(values.item())


def _shortened(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]}... ({len(text)} characters)"


def _has_fields(value: Any) -> bool:
    return hasattr(type(value), "_words") and dataclasses.is_dataclass(value)


def _html(label: str, value: Any, name: str) -> str:
    """Return a value as an element that can be opened where it has members."""
    head = f"{html.escape(name)} = " if name else ""
    members = _members(value)
    picture = _own(value, "_drawn") or "" if _has_fields(value) else ""
    if not members:
        return f"<div>{head}{html.escape(in_words(value))}{picture}</div>"
    # What a result has not got, such as the sampling error of an exact theory, says nothing to a reader.
    inner = "".join(_html(type(each).__name__, each, key) for key, each in members if each is not None)
    summary = f"{head}<b>{html.escape(label)}</b>{html.escape(_summary(value, opened=not name))}"
    # A picture stands outside, so that it is seen before anything is opened.
    opened = "" if name else " open"
    return (
        f'<details{opened}><summary>{summary}</summary><div style="margin-left: 1.5em">{inner}</div></details>{picture}'
    )


def _members(value: Any) -> list[tuple[str, Any]]:
    if _has_fields(value):
        return shown_fields(value)
    if isinstance(value, Mapping):
        return [(_shortened(repr(key)), each) for key, each in value.items()]
    if isinstance(value, (tuple, list)) and any(map(_has_fields, value)):
        return [(str(index), each) for index, each in enumerate(value[:MOST])]
    return []


def _summary(value: Any, *, opened: bool) -> str:
    """Return what stands beside a class's name: its one line, cut where it is long.

    An element that is open shows its fields below: there only what its class says itself is of use.
    """
    if isinstance(value, (tuple, list)):
        return f" of {len(value)}"
    own: str | None = _own(value, "_words") if _has_fields(value) else None
    if own is None and (opened or not _has_fields(value)):
        return ""
    text = (own or in_words(value)).removeprefix(type(value).__name__)
    return text if own is not None or len(text) <= BESIDE else f"{text[:BESIDE]}..."
