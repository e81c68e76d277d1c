# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._plot import tickets as tickets
from ._study import tickets_data as tickets_data
from ._text import tickets_text as tickets_text
