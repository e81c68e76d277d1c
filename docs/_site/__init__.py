"""Extensions of Sphinx that this site needs: formulas, docstrings, the command line, and a checker of links."""
