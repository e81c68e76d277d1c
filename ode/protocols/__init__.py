"""Protocols: what may be chosen over time, what is judged, what must be kept, and what is certain of an optimum."""

from lazy_loader import attach_stub

# Loading everything takes seconds: a name is imported when it is first used, from where `__init__.pyi` says.
__getattr__, __dir__, _ = attach_stub(__name__, __file__)

__all__ = [
    "Budget",
    "Certificate",
    "Final",
    "FixedShares",
    "Integrated",
    "Named",
    "Number",
    "Optimum",
    "Order",
    "Own",
    "Search",
    "Shares",
    "Stretch",
    "Switches",
    "TimeTo",
    "Values",
]
