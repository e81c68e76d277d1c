# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._agreement import Agreement as Agreement
from ._agreement import agreement as agreement
from ._difference import difference_agreement as difference_agreement
from ._evidence import Deviation as Deviation
from ._moved import Moved as Moved
from ._needed_runs import check_detect as check_detect
from ._needed_runs import needed_runs as needed_runs
from ._preference import Preference as Preference
from ._preference import preference as preference
from ._questions import Question as Question
from ._shifts import Shift as Shift
from ._spread import SpreadTest as SpreadTest
