"""The parts of a simulated system: only calls from pkcs12kit see it, so that Python, its libraries and tests work.

Modules of the package import other modules than those of the standard library: with names missing, and with other
values. Functions of ``os`` are replaced for all, and behave differently where a module of the package calls them,
directly or through ``pathlib``.
"""

from __future__ import annotations

import builtins
import importlib
import io
import os
import posixpath
import sys
from functools import wraps
from pathlib import Path
from types import ModuleType

_PASSED = {"genericpath", "posixpath", "pathlib", "pathlib._local", "os", "shutil", "tempfile", "contextlib", __name__}


def is_ours(module: str) -> bool:
    """Return True for the name of a module of the package."""
    return module == "pkcs12kit" or module.startswith("pkcs12kit.")


def called_by_us() -> bool:
    """Return True if a module of the package made the call, directly or through a module for paths."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name not in _PASSED and not name.startswith("tests.simulated."):
            return is_ours(name)
        frame = frame.f_back
    return False


def called_through(module: str) -> bool:
    """Return True if a call of the package came through this module of the standard library."""
    frame = sys._getframe(2)
    while frame is not None and not is_ours(name := frame.f_globals.get("__name__", "")):
        if name == module:
            return True
        frame = frame.f_back
    return False


class Seen(ModuleType):
    """A module as the package sees it: without some names, and with others."""

    def __init__(self, name, lacking=(), given=None):
        super().__init__(name)
        real = importlib.import_module(name)
        self.__dict__.update(_real=real, _lacking=set(lacking), _before={}, **(given or {}))
        self.__file__ = getattr(real, "__file__", None)

    def __getattr__(self, name):
        """Return what the real module has now, which a test may have replaced."""
        if name in self._lacking:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} on this system")
        return getattr(self._real, name)

    def __setattr__(self, name, value):
        """Set a value where the package looks for it: in the real module, unless it is one of this module."""
        if name in self.__dict__ or name in {"__file__", "__spec__"}:
            super().__setattr__(name, value)
        else:
            self._before.setdefault(name, getattr(self._real, name, None))
            setattr(self._real, name, value)

    def __delattr__(self, name):
        """Set back what a test has replaced, or take a name away."""
        if name in self._before:
            setattr(self._real, name, self._before.pop(name))
        elif name in self.__dict__:
            super().__delattr__(name)
        else:
            self._lacking.add(name)

    def __dir__(self):
        """Return the names that are there."""
        return sorted({*dir(self._real), *self.__dict__} - self._lacking)


def in_programs(system: str) -> None:
    """Let the interpreters that tests start simulate the system as well."""
    folder = Path(__file__).parent
    paths = [str(folder / "start"), str(folder.parents[1]), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, paths)))
    os.environ["PKCS12KIT_SIMULATED"] = system


def imported_by_us(seen, missing):
    """Let the package import these modules in place of the real ones, and none of those that are missing."""
    real = builtins.__import__
    seen = {one.__name__: one for one in seen}

    def importing(name, globals=None, locals=None, fromlist=(), level=0):  # noqa: A002  # as the real one
        if level == 0 and globals is not None and is_ours(globals.get("__name__", "")):
            if name.partition(".")[0] in missing:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if name in seen:
                return seen[name]
        return real(name, globals, locals, fromlist, level)

    builtins.__import__ = importing


def replaced(module, name):
    """Replace a function for calls of the package; the new one takes the real function first."""

    def decorate(function):
        real = getattr(module, name)

        @wraps(real)
        def either(*args, **kwargs):
            return function(real, *args, **kwargs) if called_by_us() else real(*args, **kwargs)

        setattr(module, name, either)
        return function

    return decorate


def _spelled(path, listdir=os.listdir):
    """Return a path with each name as it is on the disk, if it is there in other capital letters."""
    text = os.fspath(path)
    if not text or (isinstance(text, str) and "\0" in text) or (isinstance(text, bytes)):
        return path
    above, below = text, []
    while above and not _is_there(above):  # a path may have more folders than Python has frames
        above, name = posixpath.split(above)
        if not name:
            return path
        below.append(name)
    for name in reversed(below):
        try:
            names = listdir(above or ".")
        except OSError:
            names = []
        found = next((one for one in names if one.casefold() == name.casefold()), name)
        above = posixpath.join(above, found)
    return above if below else path


def _there(path, dir_fd):
    """Return the path that these arguments name."""
    return path if dir_fd is None else posixpath.join(Path(f"/proc/self/fd/{dir_fd}").readlink(), os.fspath(path))


def _is_there(path, stat=os.lstat):
    """Return True if a path has a file; ``stat`` is taken before it is replaced."""
    try:
        stat(path)
    except (OSError, ValueError):
        return False
    return True


def ignore_case():
    """Let the package find files in other capital letters than those on the disk, as macOS and Windows do."""

    def one(module, name, at=0):
        @replaced(module, name)
        def folded(real, *args, **kwargs):
            args = list(args)
            if len(args) > at and isinstance(args[at], str | os.PathLike):
                path = _spelled(_there(args[at], kwargs.get("dir_fd")))
                if path is not args[at]:
                    kwargs.pop("dir_fd", None)
                    args[at] = path
            return real(*args, **kwargs)

    for name in (
        "open",
        "stat",
        "lstat",
        "unlink",
        "remove",
        "rmdir",
        "mkdir",
        "utime",
        "scandir",
        "listdir",
        "access",
    ):
        one(os, name)
    for module in (builtins, io):
        one(module, "open")
    one(posixpath, "realpath")
    for name in ("replace", "rename", "link"):
        _fold_two(name)


def _fold_two(name):
    """As above, for a function with an old and a new name."""

    @replaced(os, name)
    def folded(real, old, new, *, src_dir_fd=None, dst_dir_fd=None, **kwargs):
        return real(_spelled(_there(old, src_dir_fd)), _spelled(_there(new, dst_dir_fd)), **kwargs)
