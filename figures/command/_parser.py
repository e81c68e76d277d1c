"""A parser that says which command or option a misspelt one may mean."""

import argparse
import re
import shlex
from collections.abc import Sequence
from typing import NoReturn

from teacher_student import internal

CHOICE = re.compile(r"invalid choice: (['\"])(.*)\1 \(choose from", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """argparse's parser, with a nearest name in its messages. The parsers of its commands are of this kind too."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong, with what may be meant, and end with argparse's exit code, 2."""
        found = CHOICE.search(message)
        super().error(f"{message}{self._instead_of(found[2])}" if found else message)

    def error_of_unknown(self, words: Sequence[str]) -> NoReturn:
        """End with the message on words that no option or argument takes."""
        options = [name for action in self._actions for name in action.option_strings]
        meant = [_did_you_mean(word.partition("=")[0], options) for word in words if word.startswith("-")]
        self.error(f"unrecognized arguments: {shlex.join(words)}{next(filter(None, meant), '')}")

    def _instead_of(self, word: str) -> str:
        """Return what may be meant by a choice that there is not: a near one, or a problem file without its command."""
        commands = [action for action in self._actions if isinstance(action, argparse._SubParsersAction)]
        if word.endswith(".toml") and any("compare" in action.choices for action in commands):
            return f"; did you mean `{self.prog} compare {shlex.quote(word)}`?"
        known = [str(name) for action in self._actions for name in action.choices or ()]
        return _did_you_mean(word, known)


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a remedy for a misspelt word, or nothing where no known one is near."""
    remedy = internal.nearest(word, known)
    return f"; {remedy}" if remedy.startswith("did you mean") else ""
