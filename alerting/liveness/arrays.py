"""Columns of numbers that numpy reads in place. Pure.

National scale is 700,000 stations; a Python object each would cost gigabytes, and a scan of them tens of milliseconds.
An `array` is fast for one element, and a numpy view of the same memory is fast for all of them.
"""

from array import array
from typing import Any, Final

import numpy as np

_DTYPES: Final = {"b": np.int8, "h": np.int16, "i": np.int32, "q": np.int64, "d": np.float64}


def view(column: "array[Any]") -> Any:
    """A numpy view of a column. Drop the view before a row is added, which may have to move the memory."""
    return np.frombuffer(column, dtype=_DTYPES[column.typecode])
