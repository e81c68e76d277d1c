"""A command written again with some of its options changed, for a user to copy."""

import argparse
import contextlib
from typing import Any

LONGEST = 20  # characters of a number with an exponent


def whole_number(text: str) -> int:
    """Return an integer of a command line, also one that is written as 1e3."""
    try:
        return int(text)
    except ValueError:
        with contextlib.suppress(ValueError):
            if len(text) < LONGEST and float(text).is_integer():
                return int(float(text))
        raise argparse.ArgumentTypeError(f"a whole number, and not {text!r}") from None


class Weights(dict[str, float]):
    """Weights of levels, which are written as a command line takes them: easy=0.5,hard=0.5."""

    def __str__(self) -> str:
        return ",".join(f"{level}={weight!r}" for level, weight in self.items())


def mixture(text: str) -> Any:
    """Return the name of a level, or the weights of a mixture of levels, from easy=0.5,hard=0.5."""
    if not text.strip():
        raise argparse.ArgumentTypeError("a level, or LEVEL=WEIGHT,LEVEL=WEIGHT, and not nothing")
    if "=" not in text:
        return text
    weights = Weights()
    for part in text.split(","):
        level, equals, weight = part.rpartition("=")
        try:
            if level.strip() in weights:
                raise argparse.ArgumentTypeError(f"each level once, and not {level.strip()!r} twice")
            weights[level.strip()] = float(weight if equals else "none")
        except ValueError:
            raise argparse.ArgumentTypeError(f"a level, or LEVEL=WEIGHT,LEVEL=WEIGHT, and not {text!r}") from None
    return weights


def again(options: argparse.Namespace, **changes: Any) -> list[str]:
    """Return the words of the command that `options` came from.

    Arguments: options: parsed by a parser that has set itself as `parser`. changes: name -> another value of an option;
    None or False leaves it out. What has its usual value is not written.
    """
    parser: argparse.ArgumentParser = options.parser
    values = vars(options) | changes
    positional: list[str] = []
    words: list[str] = []
    for action in parser._actions:  # argparse has no public list of them
        value = values.get(action.dest)
        if action.dest not in values or value == action.default or value in (None, False):
            continue
        if not action.option_strings:
            positional.append(str(value))
        else:
            words += _option(action, value)
    return [*parser.prog.split(), *positional, *words]


def _option(action: argparse.Action, value: Any) -> list[str]:
    """Return an option as it is typed, once for each value of one that may be repeated."""
    name = action.option_strings[-1]
    if value is True:
        return [name]
    if isinstance(action, argparse._AppendAction):
        return [word for item in value for word in (name, str(item))]
    return [name, *map(str, value if action.nargs else [value])]
