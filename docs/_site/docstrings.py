"""Docstrings of this project, which are plain text, as reStructuredText; and signatures short enough to read.

A docstring has sentences, indented equations, sections such as "Arguments:" whose entries start with names, and code
in single backticks. help() shows it as it is. Here sections become lists, equations stay as they were typed, and
names of the toolkit become links.
"""

import contextlib
import enum
import inspect
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .equations import equations_of
from .public_names import PACKAGES, by_home, by_last_part, resolve

if TYPE_CHECKING:  # the tests of this file do without Sphinx
    from sphinx.application import Sphinx

SECTION = re.compile(r"^(?:(Arguments|Fields)(?=[:,])|(Returns|Raises)\b|(Source|Example|Memory):)")
LIST_SECTIONS = ("Arguments", "Fields")
ENTRY = re.compile(r"(?:(?<=^)|(?<=[.;] ))((?:\w+, )*\w+): ")  # names at the start of a sentence, then a colon


def as_rest(lines: list[str], package: str, names: frozenset[str]) -> list[str]:
    """Return a docstring as reStructuredText. `names` are those of the arguments and fields."""
    result: list[str] = []
    for block in _blocks(lines):
        result += [*_block_as_rest(block, package, names), ""]
    return result


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Cut at blank lines, at headings of sections, and where indentation begins or ends outside of a section."""
    block: list[str] = []
    for line in lines:
        heading = SECTION.match(line)
        in_section = bool(block) and SECTION.match(block[0]) is not None
        turns = bool(block) and not in_section and line[:1].isspace() != block[0][:1].isspace()
        ends = in_section and not line[:1].isspace() and not _continues(block)
        if block and (not line.strip() or heading or turns or ends):
            if not line.strip() and in_section and block[0].startswith("Example"):
                continue
            yield block
            block = []
        if line.strip():
            block.append(line.rstrip())
    if block:
        yield block


def _continues(block: list[str]) -> bool:
    """Say whether a section's text may go on without indentation: one that began on the line of its heading."""
    return not block[0].rstrip().endswith(":")


def _block_as_rest(block: list[str], package: str, names: frozenset[str]) -> list[str]:
    heading = SECTION.match(block[0])
    title = heading[heading.lastindex or 0] if heading else ""
    if title == "Example":
        return [".. rubric:: Example", "", *_dedented(block[1:])]
    if title:
        return _section(title, block, package, names)
    if block[0].lstrip().startswith(">>>"):
        return _dedented(block)
    if not block[0][:1].isspace():
        entries = _entries(" ".join(line.strip() for line in block), names)
        if entries and not entries[0][0] and not entries[0][1]:  # a paragraph of fields, without a heading
            return _definitions(entries[1:], package)
        return [_inline(line, package) for line in block]
    return _indented(block, package)


def _section(title: str, block: list[str], package: str, names: frozenset[str]) -> list[str]:
    first, *rest = block
    if title in ("Returns", "Raises"):
        return [f":{title}:", *_indent(_returns(block, package))]
    head, _, text = first.partition(":")
    words = " ".join(part for part in (text.strip(), *(line.strip() for line in rest)) if part)
    if title not in LIST_SECTIONS:
        return [f":{title}:", *_indent([_inline(words, package)])]
    note = head.removeprefix(title).strip(" ,")
    entries = _listed(rest, names) if not text.strip() and _is_list(rest) else _entries(words, names)
    intro = [f"*{_inline(note[0].upper() + note[1:], package)}.*", ""] if note else []
    if entries and not entries[0][0]:
        intro += [_inline(entries[0][1], package), ""] if entries[0][1] else []
        entries = entries[1:]
    return [f":{title}:", *_indent([*intro, *_definitions(entries, package)])]


def _returns(block: list[str], package: str) -> list[str]:
    """Return the text of "Returns" and "Raises", whose heading is the start of a sentence, with what it lists."""
    text = [line for line in block if not line[:1].isspace()]
    below = [line for line in block if line[:1].isspace()]
    sentence = re.sub(r"^(Returns|Raises):? ", "", " ".join(text))
    sentence = re.sub(r"\b[A-Z]\w+", lambda word: _result(word[0], package), sentence, count=1)
    sentence = sentence[0].upper() + sentence[1:]
    if below and below[0].lstrip().startswith("`"):
        return [_inline(sentence, package), "", *_bullets(below, package)]
    return [_inline(" ".join([sentence, *(line.strip() for line in below)]), package)]


def _result(word: str, package: str) -> str:
    """Return a class of ours in backticks, as if the docstring had them: what a function returns is named plainly."""
    return f"`{word}`" if word != "InputError" and resolve(word, package) else word


def _bullets(lines: list[str], package: str) -> list[str]:
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    joined: list[str] = []
    for line in lines:
        if len(line) - len(line.lstrip()) == margin:
            joined.append(line.strip())
        else:
            joined[-1] += " " + line.strip()
    return [f"- {_inline(item, package)}" for item in joined]


def _is_list(lines: list[str]) -> bool:
    return bool(lines) and re.match(r"^\s+(?:\w+, )*\w+: ", lines[0]) is not None


def _listed(lines: list[str], names: frozenset[str]) -> list[tuple[str, str]]:
    """Return the entries of an indented list; lines that are indented further, or are no entry, go on."""
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    items: list[str] = []
    for line in lines:
        starts = len(line) - len(line.lstrip()) == margin and re.match(r"^\s*(?:\w+, )*\w+: ", line)
        if starts or not items:
            items.append(line.strip())
        else:
            items[-1] += " " + line.strip()
    found: list[tuple[str, str]] = [("", "")]
    for item in items:
        name, _, text = item.partition(": ")
        inner = _entries(text, names)  # "problem: what is learned. scale: a standard deviation."
        found += [(name, inner[0][1]), *inner[1:]]
    return found


def _entries(text: str, names: frozenset[str]) -> list[tuple[str, str]]:
    """Cut a text into ("", what comes before) and ("name", what is said of it), at names that are known."""
    cuts = [match for match in ENTRY.finditer(text) if names.issuperset(match[1].split(", "))]
    starts = [match.start() for match in cuts] + [len(text)]
    found = [("", text[: starts[0]].strip())]
    for match, end in zip(cuts, starts[1:], strict=True):
        found.append((match[1], text[match.end() : end].strip().rstrip(";")))
    return found


def _definitions(entries: list[tuple[str, str]], package: str) -> list[str]:
    lines: list[str] = []
    for name, text in entries:
        lines += [", ".join(f"``{each}``" for each in name.split(", ")), *_indent([_inline(text, package)]), ""]
    return lines


def _indented(block: list[str], package: str) -> list[str]:
    """Return what is indented: equations and code as they stand, and what is listed by name as a list."""
    lines = _dedented(block)
    tops = [line for line in lines if not line[:1].isspace()]
    item = re.compile(r'^("?\w+"?)(?: \(.*\))?:\s+(?=[a-zA-Z])')
    if all(item.match(line) for line in tops) and not any(re.search(r"[;{]\s*$|^class ", line) for line in lines):
        joined = [" ".join(part.strip() for part in group) for group in _groups(lines)]
        pairs = [(text.partition(":")[0].strip('"'), text.partition(":")[2].strip()) for text in joined]
        return _definitions([(re.sub(r" \(.*\)", "", name), text) for name, text in pairs], package)
    language = "python" if re.match(r"^(class|def|import|from) ", lines[0]) else "text"
    return [f".. code-block:: {language}", "   :class: equations", "", *_indent(lines)]


def _groups(lines: list[str]) -> list[list[str]]:
    groups: list[list[str]] = []
    for line in lines:
        if line[:1].isspace():
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _dedented(lines: list[str]) -> list[str]:
    full = [line for line in lines if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in full), default=0)
    return [line[margin:] for line in lines]


def _indent(lines: list[str]) -> list[str]:
    return [f"   {line}" if line else "" for line in lines]


def _inline(text: str, package: str) -> str:
    """Return a line with code and links in place of what stands in backticks, and nothing else marked up."""
    parts = re.split(r"`([^`]+)`", text)
    for position, part in enumerate(parts):
        parts[position] = _code(part, package) if position % 2 else _plain(part)
    return "".join(parts)


def _plain(text: str) -> str:
    escaped = re.sub(r"([\\*|])", r"\\\1", text)
    escaped = re.sub(r"_(?=\W|$)", r"\\_", escaped)
    return re.sub(r"\bInputError\b", r":py:class:`~teacher_student.InputError`", escaped)


def _code(text: str, package: str) -> str:
    public = resolve(text, package)
    if public is None:
        return f"``{text}``"
    return f":py:obj:`{text} <{public}>`"


# Signatures


def short_signature(member: Any) -> str | None:
    """Return the signature of a function or class, with types as a reader would write them; None if it has none."""
    if isinstance(member, type) and issubclass(member, (enum.Enum, KeyboardInterrupt)):
        return None
    try:
        signature = inspect.signature(member)
    except (TypeError, ValueError):
        return None
    parameters = [
        each.replace(annotation=_type(each.annotation), default=_default(each.default))
        for each in signature.parameters.values()
        if each.name != "self"
    ]
    returned = _type(signature.return_annotation)
    if isinstance(member, type):
        returned = inspect.Signature.empty
    return str(inspect.Signature(parameters, return_annotation=returned))


class _Word:
    """What stands in a signature as it is."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _default(value: Any) -> Any:
    if value is inspect.Parameter.empty:
        return value
    if inspect.isroutine(value):
        return _Word(value.__name__)
    if isinstance(value, enum.Enum) or "factory" in repr(value):
        return _Word("...")
    return value


def _type(annotation: Any) -> Any:
    """Return a type in few words: public names, arrays with their shapes, and nothing for what may be anything."""
    if annotation is inspect.Signature.empty or annotation is Any:
        return inspect.Signature.empty
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"\bjaxtyping\.(Float|Int|Bool)\[[\w.]+, '([^']*)'\]", r"\1[Array, '\2']", text)
    text = re.sub(r"Union\[(\w+\[Array, '[^']*'\]), \1\]", r"\1", text)
    text = re.sub(r"\bts\.(\w+)", r"teacher_student.\1", text)
    text = re.sub(r"[\w.]+", lambda match: _short_name(match[0]), text)
    return inspect.Signature.empty if text in ("Any", "None | Any") else _Word(text)


def _short_name(name: str) -> str:
    if name in by_home():
        return by_home()[name]
    last = name.rpartition(".")[2]
    if "." not in name:
        return by_last_part().get(name, name)
    return name if name in by_home().values() else last


# Hooks of autodoc


def names_of(member: Any) -> frozenset[str]:
    """Return the names of the arguments and fields of what a docstring describes."""
    described = inspect.unwrap(member.fget) if isinstance(member, property) and member.fget else member
    names = set(getattr(described, "__annotations__", {}))
    with contextlib.suppress(TypeError, ValueError):
        names |= set(inspect.signature(described).parameters)
    return frozenset(names)


def _package_of(name: str) -> str:
    return max((package for package in PACKAGES if name.startswith(f"{package}.")), key=len, default="")


def process_docstring(app: "Sphinx", what: str, name: str, member: Any, options: Any, lines: list[str]) -> None:
    """Rewrite `lines` in place, as autodoc asks."""
    if what != "module":
        lines[:] = as_rest(lines, _package_of(name), names_of(member))
        if labels := equations_of().get(name):
            lines += ["", ":Equations:", f"   {', '.join(f':eq:`{label}`' for label in labels)}", ""]


def process_signature(
    app: "Sphinx", what: str, name: str, member: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str, str] | None:
    """Return the arguments and the result's type, as autodoc asks; None leaves what it has found."""
    if what not in ("class", "function", "method", "exception"):
        return None
    text = short_signature(member)
    if text is None:
        return None
    arguments, _, result = text.partition(" -> ")
    return arguments, result


def setup(app: "Sphinx") -> dict[str, Any]:
    """Connect the hooks."""
    app.connect("autodoc-process-docstring", process_docstring)
    app.connect("autodoc-process-signature", process_signature)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
