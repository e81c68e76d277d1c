"""Configuration of Sphinx. `python -m docs` builds the site."""

import sys
import warnings
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))  # this checkout, whatever is installed

import teacher_student as ts  # noqa: E402
from docs._site.public_names import public_names  # noqa: E402

project = "teacher-student"
copyright = "the authors of teacher-student, MIT licence"
release = version = ts.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_design",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "docs._site.math_svg",
    "docs._site.docstrings",
    "docs._site.command_line",
    "docs._site.printed_numbers",
]
exclude_patterns = ["_build", "atlas", "phase_diagrams", "gallery", "**.ipynb_checkpoints"]
# Sphinx-Gallery writes each page as a notebook too, to be downloaded, and a page of times, which nobody reads.
exclude_patterns += ["auto_gallery/*.ipynb", "sg_execution_times.rst", "auto_gallery/sg_execution_times.rst"]
templates_path = ["_templates"]
# That the gallery's settings hold a class is no danger to what is kept between builds.
suppress_warnings = ["config.cache"]

# Every reference has to be found, except to names of other packages: their inventories would need a network.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!(teacher_student|ode|simulations|figures)\.).*"), (r"py:.*", r".*\._.*")]

# Pages
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "amsmath", "fieldlist"]
myst_heading_anchors = 3
html_math_renderer = "ziamath"
math_numfig = True  # equations are numbered by chapter of the theory, so that a number means one equation
numfig = True
numfig_secnum_depth = 1
math_eqref_format = "({number})"

# Notebooks
nb_execution_mode = "cache"
nb_execution_cache_path = str(DOCS / "_build" / "jupyter_cache")
nb_execution_timeout = 3600
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_number_source_lines = False

# The reference of Python
autosummary_generate = True
# Files of a page are named without regard to case by some systems: figures.Sweep and figures.sweep would be one.
autosummary_filename_map = {
    name: f"{name}-class" for name in public_names() if not name.islower() and name.lower() in public_names()
}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
python_display_short_literal_types = True
add_module_names = False
viewcode_follow_imported_members = True

# Pictures
warnings.filterwarnings("ignore", message=".*non-interactive.*")
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "image_scrapers": ("matplotlib", "docs._site.figure_scraper.scrape"),
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"/_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "min_reported_time": 5,
    "within_subsection_order": "FileNameSortKey",
}

# How it looks
html_context = {"default_mode": "auto"}
html_theme = "pydata_sphinx_theme"
html_title = "teacher-student"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_show_sourcelink = False
html_copy_source = False
html_last_updated_fmt = None
html_sidebars: dict[str, list[str]] = {"index": [], "changes": [], "contributing": []}
html_theme_options = {
    "logo": {"text": "teacher-student", "alt_text": "teacher-student"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
