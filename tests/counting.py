"""Counts of work, which are the same on a busy machine as on an idle one."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import contextmanager
from cProfile import Profile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """Count the function calls that a block makes in this thread, by the name of the function.

    The counts are there when the block has ended, also by an exception. Functions of Python and of C count, as Python's
    profiler sees them. The work within one call of C is not seen, and neither are other threads. Compare totals with a
    bound that leaves room: versions of Python differ by some percent.
    """
    calls: Counter[str] = Counter()
    profile = Profile()
    profile.enable()
    try:
        yield calls
    finally:
        profile.disable()
        for entry in profile.getstats():
            calls[_name_of(entry.code)] += entry.callcount


def _name_of(code: object) -> str:
    """Return the name of a function: Python's profiler has code objects, and for functions of C a description."""
    if not isinstance(code, str):
        return code.co_name
    if method := re.match(r"<method '(\w+)'", code):
        return method[1]
    return code.strip("<>").split()[-1].rpartition(".")[2]
