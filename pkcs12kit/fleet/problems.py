"""The mistakes in a manifest, each with its place, collected so that all are reported together."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkcs12kit.errors import InputError
from pkcs12kit.file_owners import numeric_group, numeric_owner
from pkcs12kit.fleet.manifest_words import words
from pkcs12kit.fleet.values import kind_of
from pkcs12kit.other_names import meant_options
from pkcs12kit.text import alternatives, counted, harmless, quoted_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pkcs12kit.fleet.bundles import FleetBundle
    from pkcs12kit.limits import Limits

RENAMED: Final[Mapping[str, str]] = {
    "cert": "certificate",
    "certs": "certificates",
    "anchor": "trust_anchors",
    "anchors": "trust_anchors",
    "out": "output",
    "password_file": 'password = { file = "..." }',
    "password_env": 'password = { env = "..." }',
    "cert_password": "certificate_password",
    "hook": "after",
}
"""Options of ``build`` that have another name in a manifest, and that name."""
RUN_OWN: Final[Mapping[str, str]] = {
    "json": "it is an option of the run: pkcs12kit batch --json",
    "dry_run": "it is an option of the run: pkcs12kit batch --plan",
    "if_changed": "leave it out: a run always leaves a file alone that is right already",
    "password_stdin": "many bundles cannot share standard input; name a file, a variable or a command in password",
    "policy_names": "the names of policies change only what build prints, not the file; leave it out",
    "help": "see pkcs12kit batch --help",
    "version": "it stands at the top of the manifest, before all tables",
}
"""Options of ``build`` that a bundle does not have, and the reason."""

_LONGEST_KEY: Final = 40
_LOOK_UP: Final[Mapping[str, Callable[[str | int], int]]] = {"owner": numeric_owner, "group": numeric_group}
_HEADER: Final = re.compile(r"[ \t]*\[\[[ \t]*bundle[ \t]*\]\][ \t]*(#.*)?")
_DEFAULTS: Final = re.compile(r"[ \t]*\[[ \t]*defaults[ \t]*\][ \t]*(#.*)?")
_OTHER: Final = re.compile(r"[ \t]*\[[^\]]*\]")


class Place(NamedTuple):
    """A table of the manifest: a bundle by its number from 0, or the defaults, or the top with None for both."""

    table: str = ""
    number: int | None = None
    name: str | None = None

    def __str__(self) -> str:
        if self.number is None:
            return f"[{self.table}]" if self.table else ""
        return f"bundle {self.number + 1}" if self.name is None else f"bundle {quoted_name(self.name)}"


DEFAULTS: Final = Place("defaults")
TOP: Final = Place()


class ManifestError(InputError):
    """A manifest that cannot be used: ``problems`` has a sentence for each mistake, with its place."""

    def __init__(self, path: str, problems: tuple[str, ...]) -> None:
        self.path = path
        self.problems = problems
        count = f"{counted(len(problems), 'mistake')} in the manifest: " if len(problems) > 1 else ""
        super().__init__(f"{path}: {count}{'; '.join(problems)}")
        self.several = tuple(f"{path}: {problem}" for problem in problems)

    def __reduce__(self) -> tuple[type[ManifestError], tuple[str, tuple[str, ...]], dict[str, Any]]:
        """Return the call that makes an equal error, so that it can cross to another process."""
        return type(self), (self.path, self.problems), vars(self)


def require_accounts(manifest: str, bundles: Iterable[FleetBundle], limits: Limits) -> None:
    """Raise :class:`~pkcs12kit.fleet.problems.ManifestError` for owners and groups that this computer does not know.

    Each is named once, with the first of its bundles.
    """
    given: dict[tuple[str, str | int], list[str]] = {}
    for bundle in bundles:
        for key in _LOOK_UP:
            if key in bundle.options:
                given.setdefault((key, bundle.options[key]), []).append(bundle.name)
    problems = []
    for (key, account), names in given.items():
        try:
            _LOOK_UP[key](account)
        except InputError as error:
            more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
            problems.append(f"bundle {quoted_name(names[0])}{more}, {words(str(error))}")
    if problems:
        left = len(problems) - limits.manifest_errors
        shown = problems[: limits.manifest_errors] + ([f"and {left:,} more"] if left > 0 else [])
        raise ManifestError(manifest, tuple(shown))


class Problems:
    """The mistakes found so far; a mistake that comes again at the same place is kept once."""

    def __init__(self, path: str, lines: Lines, limits: Limits) -> None:
        self._path = path
        self._lines = lines
        self._limits = limits
        self._found: dict[tuple[Place, str, str], None] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, place: Place, key: str, text: str) -> None:
        """Add a mistake in a key of a table; the key is empty if the whole table is meant."""
        self._found[place, key, words(text)] = None

    def add_all(self, errors: Iterable[Mapping[str, Any]], place: Place, keys: Sequence[str]) -> None:
        """Add a sentence for each of pydantic's errors in one table; ``keys`` are those that it may have."""
        for error in errors:
            key, *inside = error["loc"] or ("",)
            text = sentence(error, str(key), keys)
            # the first item of a list, but not the only one
            number = f"item {inside[0] + 1}: " if inside and isinstance(inside[0], int) and _is_several(error) else ""
            self.add(place, str(key), number + text)

    def require_none(self) -> None:
        """Raise :class:`~pkcs12kit.InputError` with all mistakes."""
        if not self._found:
            return
        in_order = sorted(self._found, key=lambda one: self._lines.of(one[0], one[1]) or 0)
        shown = [self._shown(*one) for one in in_order[: self._limits.manifest_errors]]
        more = len(self._found) - len(shown)
        if more:
            shown.append(f"and {more:,} more")
        raise ManifestError(self._path, tuple(shown))

    def _shown(self, place: Place, key: str, text: str) -> str:
        line = self._lines.of(place, key)
        where = [f"line {line}"] if line else []
        where += [part for part in (str(place), harmless(key, longest=_LONGEST_KEY)) if part]
        return f"{', '.join(where)}: {text}" if where else text


def _is_several(error: Mapping[str, Any]) -> bool:
    return len(error["loc"]) > 1


def sentence(error: Mapping[str, Any], key: str, keys: Sequence[str]) -> str:
    """Return what is wrong, from one of pydantic's errors, without the value."""
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "extra_forbidden":
        return unknown_key(key, keys)
    if kind in {"value_error", "greater_than_equal"}:
        return str(context["error"]) if kind == "value_error" else f"must be at least {context['ge']}"
    if kind == "too_short":
        return "is an empty list; leave it out or name something"
    expected = {
        "string_type": "a text",
        "bool_type": "true or false",
        "int_type": "an integer",
        "list_type": "a text or a list of texts",
        "model_type": "a table",
        "model_attributes_type": "a table",
        "dict_type": "a table",
    }.get(kind)
    if expected is None:
        expected = "another kind of value"
    return f"expected {expected}, not {kind_of(error.get('input'))}"


def unknown_key(key: str, keys: Sequence[str]) -> str:
    """Return a sentence about a key that there is not, with those that may be meant."""
    word = key.replace("-", "_")
    if word in RUN_OWN:
        return f"not a key of a bundle: {RUN_OWN[word]}"
    if word in RENAMED:
        return f"unknown key; did you mean {RENAMED[word]}?"
    if word != key and word in keys:
        return f"unknown key; did you mean {word!r}?"
    options = [f"--{one.replace('_', '-')}" for one in (*keys, *RENAMED)]
    meant = [one[2:].replace("-", "_") for one in meant_options(key.replace("_", "-"), options)]
    near = [RENAMED.get(one, one) for one in meant or get_close_matches(word[:64].lower(), keys, n=2)]
    return f"unknown key; did you mean {alternatives(near)}?" if near else "unknown key"


class Lines:
    """The lines of tables and keys, as far as they can be told from the text: TOML's parser does not keep them."""

    def __init__(self, text: str, bundles: int) -> None:
        self._lines = text.splitlines()
        self._bundles = [number for number, line in enumerate(self._lines) if _HEADER.fullmatch(line)]
        if len(self._bundles) != bundles:  # some are written in another way, or inside a text of several lines
            self._bundles = []
        self._defaults = [number for number, line in enumerate(self._lines) if _DEFAULTS.fullmatch(line)]

    def of(self, place: Place, key: str) -> int | None:
        """Return the number of the line of a key, or else of its table; None if it is not known."""
        start = self._start(place)
        if start is None:
            return None
        if key:
            assigned = re.compile(rf"[ \t]*(\"{re.escape(key)}\"|'{re.escape(key)}'|{re.escape(key)})[ \t]*[.=]")
            for number in range(start + (place != TOP), len(self._lines)):
                line = self._lines[number]
                if place == TOP and line.lstrip().startswith("["):
                    break
                if place != TOP and (_HEADER.fullmatch(line) or _OTHER.match(line)):
                    break
                if assigned.match(line):
                    return number + 1
        return None if place == TOP else start + 1

    def _start(self, place: Place) -> int | None:
        if place.number is not None:
            return self._bundles[place.number] if place.number < len(self._bundles) else None
        if place == DEFAULTS:
            return self._defaults[0] if len(self._defaults) == 1 else None
        return 0


def syntax_error(error: Exception) -> str:
    """Return the place and the kind of a mistake in TOML, without any of its text, which may be a password."""
    said = str(error)
    place = re.search(r"\(at (line [0-9]+, column [0-9]+|end of document)\)", said)
    known = next((one for one in _SAFE if said.startswith(one)), "")
    where = f"{place[1]}: " if place else ""
    return f"{where}not valid TOML{f' ({known})' if known else ''}: a text needs quotation marks, a key stands once"


_SAFE: Final = (
    "Unclosed array",
    "Invalid value",
    "Invalid statement",
    "Cannot overwrite a value",
    "Cannot declare",
    "Unterminated string",
    "Duplicate inline table key",
    "Expected newline or end of document after a statement",
    "Expected '=' after a key in a key/value pair",
    "Illegal character",
    "Unescaped",
    "Invalid initial character for a key part",
)
"""The beginnings of the errors of :mod:`tomllib` that repeat nothing of the document."""
