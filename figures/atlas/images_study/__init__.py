"""Curricula on images: plan, data, tests, picture and text."""

from lazy_loader import attach_stub

# Loading everything takes seconds: a name is imported when it is first used, from where `__init__.pyi` says.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
