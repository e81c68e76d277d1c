# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._softmax import softmax_data as softmax_data
from ._xor import images_data as images_data
