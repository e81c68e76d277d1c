"""Lets the gallery show figures that pyplot does not know, as those of the command line's pictures are."""

from typing import Any

from matplotlib.figure import Figure


def scrape(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figures that a block of a script made, and return the text that shows them."""
    from matplotlib import pyplot
    from sphinx_gallery.scrapers import figure_rst

    known = {id(pyplot.figure(number)) for number in pyplot.get_fignums()}  # the scraper of matplotlib saves these
    shown = block_vars.setdefault("figures_shown", set())
    paths = []
    for value in block_vars["example_globals"].values():
        if isinstance(value, Figure) and id(value) not in known | shown:
            shown.add(id(value))
            path = next(block_vars["image_path_iterator"])
            value.savefig(path, dpi=200)
            paths.append(path)
    return str(figure_rst(paths, gallery_conf["src_dir"]))
