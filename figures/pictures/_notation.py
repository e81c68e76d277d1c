"""Names in the notation of a text: "K = 4" and "N = 10^4" have their symbols in italics. Long ones stand in lines."""

import itertools
import re

GREEK = ("alpha", "eta", "gamma", "sigma", "rho", "Delta")
_SYMBOL = re.compile(r"\b([KMNBQRTn])(?= [=<>])")
_POWER = re.compile(r"\b(\d+)\^(-?\d+)\b")
_GREEK = re.compile(rf"\b({'|'.join(GREEK)})\b(?= [=<>])")


def in_symbols(name: str) -> str:
    """Return a name that is drawable, as `plain` makes it, with its symbols as mathematics."""
    if r"\$" in name or name.count("$") % 2:
        return name  # a sign of its own, beside which no mathematics can begin
    parts = name.split("$")  # every second one is mathematics already
    return "$".join(part if index % 2 else _text_in_symbols(part) for index, part in enumerate(parts))


def _text_in_symbols(text: str) -> str:
    text = _POWER.sub(r"$\1^{\2}$", text)
    return _GREEK.sub(r"$\\\1$", _SYMBOL.sub(r"$\1$", text))


def in_figures(value: float, digits: int = 4) -> str:
    """Return a number to some digits, as mathematics writes it: 0.0001 is $10^{-4}$."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.{digits}g}"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    shown = f"{float(mantissa):g}"
    return f"$10^{{{int(exponent)}}}$" if shown == "1" else f"${shown} \\times 10^{{{int(exponent)}}}$"


def letters_of(text: str) -> int:
    """Return about how many letters wide a text is drawn, where a command of mathematics is one letter."""
    return sum(len(_letters(part) if index % 2 else part) for index, part in enumerate(text.split("$")))


def _letters(mathematics: str) -> str:
    words = re.sub(r"\\(log|ln|exp)(?![A-Za-z])", r"\1", mathematics)
    return re.sub(r"\\[A-Za-z]+|\\.", "x", words).translate(_NO_WIDTH)


_NO_WIDTH = str.maketrans("", "", "{}_^")


def in_lines(text: str, longest: float) -> str:
    """Return a text in as few lines of at most `longest` letters as can be, none much shorter than the others.

    Mathematics is not broken, and neither is a word. Where the text has lines of its own that fit, it keeps them.
    """
    own = text.split("\n")
    if len(own) > 1 and max(map(letters_of, own)) <= longest < letters_of(text):
        return text
    words = _words(text)
    for count in range(1, len(words) + 1):
        breaks = itertools.combinations(range(1, len(words)), count - 1)
        split = [_joined(words, cuts) for cuts in breaks]
        best = min(split, key=lambda lines: max(map(letters_of, lines)))
        if count == MOST_LINES or max(map(letters_of, best)) <= longest:
            return "\n".join(best)
    return text


MOST_LINES = 3


def _joined(words: list[str], cuts: tuple[int, ...]) -> list[str]:
    return [" ".join(words[a:b]) for a, b in itertools.pairwise((0, *cuts, len(words)))]


def _words(text: str) -> list[str]:
    """Return the words of a text; mathematics, with what touches it, is one word."""
    return re.findall(r"(?:\\\$|\$(?:\\.|[^$\\])*\$|[^\s$])+|\$\S*", text)
