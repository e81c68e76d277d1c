# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._agreement import Agreement as Agreement
from ._agreement import agreement as agreement
from ._evidence import Deviation as Deviation
from ._predicted import SpreadTest as SpreadTest
