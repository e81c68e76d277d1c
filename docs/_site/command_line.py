"""The reference of the command line: the help of every command, as it is printed."""

import argparse
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from figures.command._exit_codes import MEANINGS
from figures.command._main import _parser


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Give the parsers of all commands that do something, those of `figure` one by one."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield parser
    for action in below:
        for each in action.choices.values():
            yield from commands(each)


class CommandLine(Directive):  # type: ignore[misc]  # docutils has no types
    """One section for each command, with its help."""

    def run(self) -> list[nodes.Node]:
        return [self._section(parser) for parser in commands(_parser())]

    def _section(self, parser: argparse.ArgumentParser) -> nodes.section:
        section = nodes.section(ids=[nodes.make_id(parser.prog)], names=[parser.prog])
        section += nodes.title(text=parser.prog)
        help_text = parser.format_help()
        section += nodes.literal_block(help_text, help_text, language="text")
        return section


class ExitCodes(Directive):  # type: ignore[misc]
    """What each exit code means, as a list of definitions."""

    def run(self) -> list[nodes.Node]:
        definitions = nodes.definition_list()
        for code, meaning in MEANINGS.items():
            entry = nodes.definition_list_item()
            entry += nodes.term("", "", nodes.literal(text=str(code.value)))
            entry += nodes.definition("", nodes.paragraph(text=meaning[0].upper() + meaning[1:] + "."))
            definitions += entry
        return [definitions]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives `command-line` and `exit-codes`."""
    app.add_directive("command-line", CommandLine)
    app.add_directive("exit-codes", ExitCodes)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
