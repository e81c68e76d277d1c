# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._plot import images as images
from ._softmax import softmax_data as softmax_data
from ._text import images_text as images_text
from ._xor import images_data as images_data
