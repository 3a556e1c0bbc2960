"""Files with names of certificate policies."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.policy_names import is_object_identifier
from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.reading import name_of, read_source
from pkcs12kit.text import quoted

if TYPE_CHECKING:
    from pkcs12kit.sources.reading import Source

_BYTES_AT_MOST: Final = 1024 * 1024
_LINE: Final = re.compile(r"([0-9.]+)[=:,]?[ \t]+(?:[=:,][ \t]+)?(\S.*)")
_EXAMPLE: Final = "2.16.840.1.101.3.2.1.3.8 id-fpki-common-devices"


def load_policy_names(source: Source) -> dict[str, str]:
    """Return the names of certificate policies in a file, by object identifier, for :func:`pkcs12kit.policy_names`.

    ``source`` is a path, ``"-"`` for standard input, or bytes: text in UTF-8, with an object identifier and its name on
    each line; ``#`` begins a comment. Raises :class:`~pkcs12kit.InputError` for a file that cannot be read, has more
    than 1 MiB, or has another line, and :class:`~pkcs12kit.ArgumentError` for a source of another kind.
    """
    file = name_of(source)
    data = read_source(source, replace(DEFAULT_LIMITS, input_bytes=_BYTES_AT_MOST))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{file}: names of policies are text in UTF-8, and this file is not") from None
    names: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if content and not content.startswith("#"):
            policy, name = _read_line(content, f"{file}, line {number}")
            if names.setdefault(policy, name) != name:
                raise InputError(f"{file}, line {number}: {policy} has another name above")
    return names


def _read_line(line: str, place: str) -> tuple[str, str]:
    found = _LINE.fullmatch(line)
    if found is None or not is_object_identifier(found[1]):
        raise InputError(
            f"{place}: {quoted(line)} is not an object identifier and a name; write '{_EXAMPLE}', for example"
        )
    return found[1], found[2].strip()
