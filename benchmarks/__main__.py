"""How fast the engines are on this machine: one table, benchmarks.json and scaling.png.

Every row is measured in a fresh process pinned to one core, with one thread, as a median over interleaved rounds of
the engine, a yardstick (plain NumPy or SciPy) and what the machine allows; and every row's numbers are checked.
Exit code: 0; 1 if numbers disagree or a row fails; 2 for a bad argument; 130 after Ctrl-C, when nothing is written.
"""

import argparse
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from teacher_student.internal import usable_cores

from . import _catalogue, _output, _processes, _table
from ._errors import UsageError
from ._machine import machine
from ._records import Curve, Row


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.list:
            print("\n".join(f"{case.name:22}{case.words}" for case in _catalogue.CASES))
            return 0
        if options.read:
            print(_show(*_output.read(options.read), options))
            return 0
        cases = _catalogue.chosen(options.only or [], options.quick)
        if options.core is not None and options.core not in usable_cores():
            raise UsageError(f"no core {options.core} for this process; there are {usable_cores()}")
        if not options.quick:
            _output.make_folder(options.out)
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    found: list[Row | Curve] = []
    interrupted = not _measure_all(cases, options, found)
    return _report(found, options, interrupted)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="a minute: check results at tiny sizes, time nothing")
    parser.add_argument("--only", action="append", metavar="NAME", help="what begins with NAME; may be repeated")
    parser.add_argument("--list", action="store_true", help="print names and what they measure, and stop")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument(
        "--read", type=Path, metavar="FILE", help="print the table of a benchmarks.json, measure nothing"
    )
    parser.add_argument("--untuned", action="store_true", help="without ts.tune_compiler(), which is called otherwise")
    parser.add_argument("--core", type=int, help="the core to measure on (default: the last one)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks-out"), help="folder for JSON and pictures")
    return parser


def _measure_all(cases: Sequence[_catalogue.Case], options: argparse.Namespace, found: list[Row | Curve]) -> bool:
    """Append the records of `cases` to `found`, telling progress; False if Ctrl-C ended it."""
    groups, begin = _processes.groups(cases, options.quick), time.perf_counter()
    try:
        for number, group in enumerate(groups, 1):
            names = ", ".join(case.name for case in group)
            print(f"[{number}/{len(groups)}, {time.perf_counter() - begin:.0f} s] {names}", file=sys.stderr, flush=True)
            found += _processes.measure(group, options.quick, options.core, options.untuned)
    except KeyboardInterrupt:
        return False
    print(f"[{time.perf_counter() - begin:.0f} s in all]", file=sys.stderr)
    return True


def _report(found: Sequence[Row | Curve], options: argparse.Namespace, interrupted: bool) -> int:
    described = machine(len(usable_cores()), tuned=not options.untuned)
    print(_show(found, described, options))
    if interrupted:
        print("benchmarks: interrupted; nothing is written", file=sys.stderr)
        return 130
    if not options.quick:
        print(*(f"wrote {path}" for path in _output.write(options.out, found, described)), sep="\n")
    wrong = [row.name for row in found if isinstance(row, Row) and not row.right]
    if wrong:
        print(f"benchmarks: failed or in disagreement: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


def _show(found: Sequence[Row | Curve], described: Mapping[str, str], options: argparse.Namespace) -> str:
    if options.markdown:
        return _table.markdown(found, described)
    return _table.table(found, described, times=not options.quick)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
