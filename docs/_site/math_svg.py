"""Formulas as SVG, drawn while the site is built: they look alike everywhere, without JavaScript or a network.

MathJax would need its fonts and code beside the pages (or a network), and MathML a mathematical font on the reader's
machine. ziamath brings its own font, and reads what LaTeX we use.
"""

import functools
import html
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.math import get_node_equation_number
from ziamath.config import config
from ziamath.zmath import Latex

SIZE = 20.0  # pixels to the em while drawing: a round number, of which the page takes the ratio
SCALE = 1.08  # of the text's size: at 1 the font looks smaller than that of the text

# Paths in place of symbols that are used by their id: ids of one picture would be those of the next on the page.
config.svg2 = False
config.precision = 2


@functools.cache
def drawn(latex: str, inline: bool) -> str:
    """Return the formula as an SVG element of the colour of the text around it."""
    svg: str = Latex(latex, size=SIZE, color="currentColor", inline=inline).svg()
    box = re.search(r'<svg [^>]*?viewBox="([^"]+)"', svg)
    if box is None:
        raise ValueError(f"no picture of {latex}")
    _, top, width, height = (float(number) for number in box[1].split())
    em = SCALE / SIZE
    style = f"width:{width * em:.3f}em;height:{height * em:.3f}em;vertical-align:{-(height + top) * em:.3f}em"
    start = f'<svg xmlns="http://www.w3.org/2000/svg" class="formula" role="img" viewBox="{box[1]}" style="{style}"'
    label = f' aria-label="{html.escape(latex)}">'
    return start + label + svg[svg.index(">") + 1 :]


def visit_inline(self: Any, node: nodes.math) -> None:
    """Write a formula of a line of text."""
    self.body.append(f'<span class="math">{drawn(node.astext(), inline=True)}</span>')
    raise nodes.SkipNode


def visit_display(self: Any, node: nodes.math_block) -> None:
    """Write a formula of its own line, with its number at the right."""
    self.body.append(self.starttag(node, "div", CLASS="math display"))
    parts = re.split(r"\n\s*\n", node.astext().strip())
    lines = "".join(f"<div>{drawn(part, inline=False)}</div>" for part in parts)
    self.body.append(f'<div class="lines">{lines}</div>')
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer, which `html_math_renderer = "ziamath"` chooses."""
    app.add_html_math_renderer("ziamath", (visit_inline, None), (visit_display, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
