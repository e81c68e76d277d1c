"""`python -m docs`: the site, from a clean checkout into docs/_build/html."""

import argparse
import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).parent
HTML = DOCS / "_build" / "html"
NEEDED = ("sphinx", "myst_nb", "sphinx_gallery", "pydata_sphinx_theme", "sphinx_design", "sphinx_copybutton", "ziamath")


def main() -> int:
    """Build the site and check its links; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="run no notebook and no script of the gallery")
    parser.add_argument("--fresh", action="store_true", help="remove what earlier builds have left, then build")
    options = parser.parse_args()
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(f'the site needs {", ".join(missing)}: pip install ".[docs]"', file=sys.stderr)
        return 2
    if options.fresh:
        for made in (DOCS / "_build", DOCS / "api" / "generated", DOCS / "auto_gallery"):
            shutil.rmtree(made, ignore_errors=True)
    _settle_environment()
    return _build(quick=options.quick)


def _settle_environment() -> None:
    """Let the kernels of notebooks import this checkout, show their pictures, and compile each program once."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(DOCS.parent), os.environ.get("PYTHONPATH"))))
    os.environ.pop("MPLBACKEND", None)  # of a kernel it would replace the backend that shows pictures in the notebook
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(DOCS / "_build" / "compiled"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
    os.environ.setdefault("EQX_ON_ERROR", "nan")  # what calls back to Python is not kept
    os.environ.setdefault("COLUMNS", "72")  # of the help of the command line


def _build(quick: bool) -> int:
    from sphinx.cmd.build import build_main

    from docs._site.links import broken_links

    # Pages that went would stay, and links to them would be found whole.
    shutil.rmtree(HTML, ignore_errors=True)
    off = ["-D", "nb_execution_mode=off", "-D", "plot_gallery=0"] if quick else []
    arguments = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(DOCS / "_build" / "doctrees"), *off]
    code = build_main([*arguments, str(DOCS), str(HTML)])
    if code:
        return int(code)
    broken = broken_links(HTML)
    for link in broken:
        print(f"broken link: {link}", file=sys.stderr)
    pages = len([page for page in HTML.rglob("*.html") if "_static" not in page.parts])
    notebooks = {path: _cells(path) for path in sorted(DOCS.rglob("*.md")) if "_build" not in path.parts}
    cells = sum(notebooks.values())
    done = "found, none run" if quick else "run"
    print(f"{HTML}: {pages} pages, {sum(map(bool, notebooks.values()))} notebooks, {cells} cells {done}")
    print(f"{len(broken)} broken links")
    return 1 if broken else 0


def _cells(page: Path) -> int:
    """Return the number of code cells of a page: MyST notebooks name their kernel at the top."""
    text = page.read_text()
    return len(re.findall(r"^```\{code-cell\}", text, flags=re.MULTILINE)) if "kernelspec:" in text[:1000] else 0


if __name__ == "__main__":
    sys.exit(main())
