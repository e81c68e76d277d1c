"""Fixed points of the drift, their stability, where it changes, and how long a plateau lasts."""

from lazy_loader import attach_stub

# Loading everything takes seconds: a name is imported when it is first used, from where `__init__.pyi` says.
__getattr__, __dir__, _ = attach_stub(__name__, __file__)

__all__ = ["Critical", "FixedPoint", "Plateau", "critical", "fixed_points", "known_guesses", "plateau"]
