"""The clock of this process at a fixed time, so that the answers about a set-up are the same on each day."""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
import sys
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import pytest

import pkcs12kit

if TYPE_CHECKING:
    from collections.abc import Iterator

_REAL = dt.datetime


class _Instances(type):
    """Each datetime counts as an instance, as the values that were made elsewhere are plain ones."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _REAL)


@contextmanager
def frozen_at(time: dt.datetime) -> Iterator[None]:
    """Let the package's ``datetime.now`` return ``time``."""
    _import_all()

    class Stopped(_REAL, metaclass=_Instances):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
            return time.astimezone(tz)

    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("pkcs12kit.") and vars(module).get("datetime") is _REAL:
                patch.setattr(module, "datetime", Stopped)
        yield


@cache
def _import_all() -> None:
    """Import the modules that are imported when they are needed: later they would keep the real clock."""
    for found in pkgutil.walk_packages(pkcs12kit.__path__, "pkcs12kit."):
        if not found.name.startswith(("pkcs12kit.notebook", "pkcs12kit.__main__")):
            importlib.import_module(found.name)
