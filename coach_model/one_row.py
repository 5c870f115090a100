"""A graph that runs on one row, always in the same memory.

Creating the arrays of a call is about a fifth of what onnxruntime takes for the small graph of a coach, and many
requests have one row.
"""

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

type Shape = tuple[int | None, ...]
"""None stands for the number of rows."""
type Signature = Mapping[str, tuple[str, Shape]]
"""Name to onnxruntime's type and the shape, of each input or output."""

DTYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}
"""The types that a coach's graph uses."""


class OneRow:
    """A session whose inputs and outputs are bound to arrays of one row. Threads may share it."""

    def __init__(self, session: ort.InferenceSession, inputs: Signature, outputs: Signature) -> None:
        self._session = session
        self._inputs, self._outputs = _empty(inputs), _empty(outputs)
        self._binding = session.io_binding()
        for bind, arrays in (
            (self._binding.bind_input, self._inputs),
            (self._binding.bind_output, self._outputs),
        ):
            for name, array in arrays.items():
                bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        self._lock = threading.Lock()

    def __call__(self, inputs: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """The graph's outputs for inputs of one row, in the order of the signature. Raises ValueError for another shape
        or type, which numpy would fit. Errors of onnxruntime are passed on."""
        with self._lock:
            for name, array in self._inputs.items():
                values = inputs[name]
                if values.shape != array.shape or values.dtype != array.dtype:
                    raise ValueError(f"{name} is {values.shape} {values.dtype}, expected {array.shape} {array.dtype}")
                array[:] = values
            self._session.run_with_iobinding(self._binding)
            return [array.copy() for array in self._outputs.values()]


def _empty(signature: Signature) -> dict[str, npt.NDArray[Any]]:
    return {name: np.zeros([size or 1 for size in shape], DTYPES[kind]) for name, (kind, shape) in signature.items()}
