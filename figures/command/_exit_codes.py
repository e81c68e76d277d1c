"""What each exit code of the command line says. One code means one thing."""

import enum


class ExitCode(enum.IntEnum):
    """Exit codes. Those from 64 on are named as in sysexits.h, and 128 + n says that signal n came."""

    FINE = 0  # also: theory and simulation agree
    NO = 1
    BAD_INPUT = 2
    NO_VERDICT = 3
    BUG = 70  # EX_SOFTWARE
    NO_MEMORY = 71  # EX_OSERR
    NOT_WRITTEN = 74  # EX_IOERR
    HUNG_UP = 129
    INTERRUPTED = 130
    CLOSED_PIPE = 141
    TERMINATED = 143


MEANINGS = {
    ExitCode.FINE: "done; of compare: theory and simulation agree",
    ExitCode.NO: "done, and the answer is no: they disagree, a solve stopped early, cells failed or timed out, an "
    "optimum is rejected",
    ExitCode.BAD_INPUT: "bad input, said in one line before anything is computed",
    ExitCode.NO_VERDICT: "done, but of compare: no verdict beyond some alpha, where theory's expansion in 1/N ends",
    ExitCode.BUG: "a bug of this program; the line says where its traceback is",
    ExitCode.NO_MEMORY: "out of memory",
    ExitCode.NOT_WRITTEN: "what was asked for could not be written: a full disk, a picture that cannot be drawn",
    ExitCode.HUNG_UP: "the terminal closed (SIGHUP); what is finished is on disk",
    ExitCode.INTERRUPTED: "Ctrl-C (SIGINT), likewise",
    ExitCode.CLOSED_PIPE: "who read the output has gone, as in `| head`; likewise, and nothing is said",
    ExitCode.TERMINATED: "SIGTERM; what is finished is on disk",
}


def explained() -> str:
    """Return the part of `--help` that lists the codes."""
    lines = [f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items()]
    notes = [
        "A picture of `compare`, `solve` or `optimize` that cannot be drawn is a warning: the code is that of the "
        "verdict.",
        "TEACHER_STUDENT_TRACEBACK=1 prints the traceback of whatever ends a command.",
    ]
    return "\n".join(["exit codes:", *lines, *notes])
