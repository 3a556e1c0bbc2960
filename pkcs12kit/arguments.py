"""Checks of the kinds of arguments, so that a mistake in a calling program is named and not carried along."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from os import PathLike
from typing import TYPE_CHECKING, cast

from pkcs12kit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping


def require_kind(name: str, value: object, *kinds: type, optional: bool = False, cure: str = "") -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` unless ``value`` is an instance of one of ``kinds``.

    True and False are not accepted as integers. ``optional`` accepts None. ``cure`` says what makes a right value. The
    message has the kind of the value, never the value: it may be a password.
    """
    if optional and value is None:
        return
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join(kind.__name__ for kind in kinds)
        end = f"; {cure}" if cure else ""
        raise ArgumentError(f"{name}: expected {expected}, not {type(value).__name__}{end}")


def require_flags(**flags: object) -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` for a flag that is not True or False."""
    for name, value in flags.items():
        require_kind(name, value, bool)


def require_texts(**texts: object) -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` for a value that is neither a string nor None."""
    for name, value in texts.items():
        require_kind(name, value, str, optional=True)


def require_functions(**functions: object) -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` for a value that cannot be called and is not None."""
    for name, value in functions.items():
        if value is not None:
            require_function(name, value)


def require_function(name: str, value: object) -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` for a value that cannot be called."""
    if not callable(value):
        raise ArgumentError(f"{name}: expected a function, not {type(value).__name__}")


def require_several(given: Mapping[str, object]) -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` for one value on its own where a collection is expected, by name.

    A string would be read as one value for each of its characters.
    """
    for name, several in given.items():
        if isinstance(several, str | bytes | PathLike) or not isinstance(several, Iterable):
            raise ArgumentError(f"{name} is a collection, not one of them: put it into a list")


def require_names(name: str, values: object) -> tuple[str, ...]:
    """Return several names as a tuple, each once. Raises :class:`~pkcs12kit.ArgumentError` for other kinds."""
    require_several({name: values})
    names = tuple(cast("Iterable[str]", values))
    for one in names:
        require_kind(name, one, str)
    return tuple(dict.fromkeys(names))


def require_duration(name: str, value: object) -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` unless ``value`` is a timedelta of zero or more."""
    require_kind(name, value, timedelta)
    if isinstance(value, timedelta) and value < timedelta(0):
        raise ArgumentError(f"{name} must not be negative")
