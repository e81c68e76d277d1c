# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._check_protocol import check_protocol as check_protocol
from ._judged import Judged as Judged
from ._protocol_check import MeasuredGain as MeasuredGain
from ._protocol_check import ProtocolCheck as ProtocolCheck
