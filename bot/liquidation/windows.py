"""Runs of neighbours: numpy's `sliding_window_view` takes longer than what most stretches of bars do with its view."""

import numpy as np

from bot.liquidation.types import Floats


def windows(values: Floats, width: int) -> Floats:
    """Every run of `width` neighbours along the last axis, (..., n - width + 1, width), as a view.

    `values` (..., n), contiguous, with n >= width >= 1. Raises ValueError otherwise.
    """
    *rows, count = values.shape
    if not 1 <= width <= count:
        raise ValueError(f"{count} values have no windows of {width}")
    shape, strides = (*rows, count - width + 1, width), (*values.strides, values.itemsize)
    found: Floats = np.ndarray(shape, values.dtype, values.data, strides=strides)
    return found
