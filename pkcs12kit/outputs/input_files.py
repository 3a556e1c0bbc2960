"""The files that one call reads, known by their identity, so that no output of the call replaces one of them.

Two paths are the same file if the file system says so (device and inode): through symbolic links at either path or
among the parent folders, as hard links, in another spelling, or in other capital letters where those do not count.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pkcs12kit.errors import InputError, OutputError
from pkcs12kit.file_names import future_path
from pkcs12kit.files import require_replaceable
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.outputs.existing import Form, is_plain_pkcs12
from pkcs12kit.sources.loading import load_certificates
from pkcs12kit.sources.reading import STANDARD_INPUT, folder_files, is_folder, shown_path

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from pkcs12kit.limits import Limits

_STANDARD_OUTPUT: Final = "-"
_Identity: TypeAlias = "tuple[int, int] | str"
"""The device and inode of a file; the path of a new file, resolved, where there is none."""


class InputFiles:
    """The inputs of one call: files, folders and ``"-"``, each with the name of its option or parameter.

    Bytes and loaded values among them are passed over: no output can replace those. The identity of each file is taken
    here, so that a file which gets another name during the call is still known.
    """

    def __init__(self, named: Iterable[tuple[str, object]] = (), *, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._inputs: list[tuple[str, Any, _Identity]] = [
            (name, source, identity)
            for name, given in named
            for source in _sources(given)
            if (identity := _identity(source, _stdin)) is not None
        ]

    def require_apart(
        self, output: object, name: str, *, form: Form | None = None, in_place: Container[str] = ()
    ) -> None:
        """Raise :class:`~pkcs12kit.OutputError` if ``output`` is one of the files, or a file in one of the folders.

        - ``name``: the option or parameter of the output, for messages.
        - ``form``: the form of the output, if it is known. A PKCS#12 file may replace one in a folder from which no
          certificate can be read without its password, because nothing of that file is used.
        - ``in_place``: the names of the inputs that a PKCS#12 output may be: a file that is rewritten.
        """
        there = _identity(output, _stdout)
        if there is None:
            return
        is_rewritten = False
        for input_name, source, identity in self._inputs:
            if there not in {identity, _identity(source, _stdin)}:
                continue
            if input_name not in in_place or form is not Form.PKCS12:
                raise _is_an_input(output, name, f"the file of {input_name}")
            self._require_plain_pkcs12(output, name, input_name)
            is_rewritten = True
        if is_rewritten or isinstance(there, str):
            return
        for input_name, source, _ in self._inputs:
            if _is_folder(source) and self._contributes(source, there, form):
                raise _is_an_input(output, name, f"a file in the folder {_shown(source)} of {input_name}")

    def are_at(self, output: object, names: Container[str]) -> bool:
        """Return True if ``output`` is the file of one of the inputs ``names``."""
        there = _identity(output, _stdout)
        return any(
            name in names and there in {identity, _identity(source, _stdin)} for name, source, identity in self._inputs
        )

    def require_not_in(self, folder: str, names: Iterable[str], name: str) -> None:
        """Raise :class:`~pkcs12kit.OutputError` if one of the files ``names`` of ``folder`` is an input.

        They are the files that the call may replace or remove in the folder of the option ``name``.
        """
        own: dict[_Identity, str] = {}
        for path in (os.path.join(folder, each) for each in names):  # noqa: PTH118
            identity = _identity(path, _stdin)
            if isinstance(identity, tuple):
                own[identity] = path
        for input_name, source, identity in self._inputs if own else ():
            inside = folder_files(os.fsdecode(source), self._limits) if _is_folder(source) else ()
            for one in (identity, *(_identity(file.path, _stdin) for file in inside)):
                if one in own:
                    raise _is_an_input(own[one], name, f"a file of {input_name}")

    def _contributes(self, folder: Any, there: _Identity, form: Form | None) -> bool:  # noqa: ANN401  # a source
        """Return True if the file is one of those in the folder, and is used."""
        inside = (file.path for file in folder_files(os.fspath(folder), self._limits))
        path = next((path for path in inside if _identity(path, _stdin) == there), None)
        if path is None:
            return False
        if form is not Form.PKCS12 or not is_plain_pkcs12(path, self._limits):
            return True
        try:
            return len(load_certificates(path, limits=self._limits)) > 0
        except InputError:
            return False

    def _require_plain_pkcs12(self, output: Any, name: str, input_name: str) -> None:  # noqa: ANN401  # a path
        """Raise unless the file that is rewritten is a PKCS#12 file without a text form around it."""
        path = os.fsdecode(output)
        if not os.path.exists(path):  # noqa: PTH110  # reading it gives the error
            return
        if is_plain_pkcs12(path, self._limits):
            require_replaceable(path)  # a symbolic link is refused before anything is read
            return
        raise OutputError(
            f"{name} {_shown(path)} is also the file of {input_name}, and not a PKCS#12 file in binary form: only such"
            " a file can be rewritten in place; give another name"
        )


def require_distinct(outputs: Iterable[tuple[str, object]]) -> None:
    """Raise :class:`~pkcs12kit.OutputError` if two outputs of one call are the same file."""
    seen: dict[_Identity, str] = {}
    for name, output in outputs:
        identity = None if output == _STANDARD_OUTPUT else _identity(output, _stdout)
        if identity is None:
            continue
        if identity in seen:
            raise OutputError(f"{name} {_shown(output)} is also the file of {seen[identity]}; give two names")
        seen[identity] = name


def _is_an_input(output: object, name: str, what: str) -> OutputError:
    named = "standard output" if output == _STANDARD_OUTPUT else _shown(output)
    return OutputError(f"{name} {named} is also {what}: an output never replaces an input; give another name")


def _shown(path: Any) -> str:  # noqa: ANN401  # a source
    return shown_path(os.fsdecode(path))


def _is_folder(source: Any) -> bool:  # noqa: ANN401  # a source
    return source != STANDARD_INPUT and is_folder(source)


def _sources(given: object) -> Iterable[object]:
    """Return the paths in an argument: itself, or those in a collection of sources."""
    if isinstance(given, list | tuple | set | frozenset):
        return [one for one in given if isinstance(one, str | os.PathLike)]
    return [given] if isinstance(given, str | os.PathLike) else []


def _identity(path: Any, standard: Callable[[], _Identity | None]) -> _Identity | None:  # noqa: ANN401  # a source
    """Return the identity of a file; of ``"-"`` that of a regular file behind the standard stream, else None."""
    if path == STANDARD_INPUT:
        return standard()
    try:
        status = os.stat(path)  # noqa: PTH116 - a path may be a plain string
    except (OSError, ValueError):
        with suppress(OSError, ValueError):  # a name that no file can have
            return future_path(os.fsdecode(path))
        return None
    return status.st_dev, status.st_ino


def _stdin() -> _Identity | None:
    return _of_stream(sys.stdin)


def _stdout() -> _Identity | None:
    return _of_stream(sys.stdout)


def _of_stream(stream: Any) -> _Identity | None:  # noqa: ANN401  # sys.stdin may be anything
    try:
        status = os.fstat(stream.fileno())
    except (AttributeError, OSError, ValueError):  # no stream, closed, or one without a file
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None
