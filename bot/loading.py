"""The beginning of a process that is to stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Modules, model and index are loaded here: Python's collector, which finds nothing in them, is kept from looking.

    It would look again and again, a fifth of all the time that loading takes.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
