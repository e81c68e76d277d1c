# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._plan import Plan as Plan
