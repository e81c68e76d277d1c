"""The documentation's site: its pages, and `python -m docs`, which builds it. It is not installed."""
