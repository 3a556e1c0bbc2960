"""The reading of a manifest: parsed, checked whole, and resolved into bundles before anything is done.

All mistakes are collected and reported together, each with its place. Paths are relative to the folder of the manifest.
"""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unicodedata import normalize

from pkcs12kit.arguments import require_kind
from pkcs12kit.errors import InputError
from pkcs12kit.file_names import relative_drive
from pkcs12kit.fleet import templates, values
from pkcs12kit.fleet.bundles import PASSWORDS, FleetBundle, Manifest, Secret
from pkcs12kit.fleet.contradictions import contradictions
from pkcs12kit.fleet.matches import Matcher, why_not_on_drive
from pkcs12kit.fleet.places import clashes
from pkcs12kit.fleet.problems import DEFAULTS, TOP, Lines, Place, Problems, syntax_error, unknown_key
from pkcs12kit.fleet.templates import Match
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.reading import read_source, require_regular_file, shown_path
from pkcs12kit.text import quoted
from pkcs12kit.typed_values import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pkcs12kit.limits import Limits

_VERSION: Final = 1
_TOP_KEYS: Final = ("version", "defaults", "bundle")
_PATHS: Final = ("key_out", "cache")
_LISTS_OF_PATHS: Final = ("crl", "ocsp")
_PASSWORD_FILES: Final = {
    "key_password_file": "key_password",
    "pkcs12_password_file": "pkcs12_password",
    "cert_password_file": "certificate_password",
    "contents_password_file": "contents_password",
}
_ALL_PATHS: Final = (
    *("output", "key", "certificate", "pkcs12", "from", "certificates", "trust_anchors"),
    *(*_PATHS, *_LISTS_OF_PATHS, *_PASSWORD_FILES),
)
_OWN: Final = frozenset(
    {"name", "key", "certificate", "pkcs12", "from", "certificates", "trust_anchors", "output", "expires_within"}
    | {"after", "after_timeout", "serves", "serves_timeout", *_PASSWORD_FILES, *PASSWORDS}
)
"""The keys that a :class:`~pkcs12kit.fleet.bundles.FleetBundle` has apart from its options."""


def load_manifest(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> Manifest:
    """Read and check a manifest, and return its bundles, with the defaults and all paths filled in.

    Nothing is written, and no key or password is read. Raises :class:`~pkcs12kit.InputError` for a file that cannot be
    read, and :class:`~pkcs12kit.fleet.problems.ManifestError` with every mistake in it. Not checked: whether the inputs
    exist, which is seen where the work is done, and whether owner and group are known, which a run checks.
    """
    require_kind("manifest", path, str, os.PathLike)
    name = os.fspath(path)
    if name == "-":
        raise InputError("a manifest is a file, not standard input: its paths are relative to its folder")
    shown = shown_path(name)
    require_regular_file(name)
    text = _text(read_source(name, replace(limits, input_bytes=limits.manifest_bytes)), shown)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{shown}: {syntax_error(error)}") from None
    found = document.get("bundle")
    problems = Problems(shown, Lines(text, len(found) if isinstance(found, list) else 0), limits)
    _require_version(document, problems)
    reading = _Reading(Path(name).absolute(), problems, limits)
    bundles = reading.bundles(document)
    problems.require_none()
    return Manifest(path=reading.path, bundles=tuple(bundles), warnings=tuple(_warnings(reading.path)))


def _text(data: bytes, shown: str) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{shown}: line {line}: not UTF-8, which TOML is; save the file as UTF-8") from None


def _require_version(document: Mapping[str, Any], problems: Problems) -> None:
    """Raise at once for another version, whose keys this release does not know."""
    version = document.get("version")
    if type(version) is int and version == _VERSION:
        return
    if "version" not in document:
        problems.add(TOP, "version", f"is missing: write version = {_VERSION} at the top of the manifest")
    elif type(version) is int:
        problems.add(TOP, "version", f"is {version}; this release of pkcs12kit reads version {_VERSION}")
    else:
        problems.add(TOP, "version", f"expected the integer {_VERSION}, not {values.kind_of(version)}")
    problems.require_none()


def _warnings(path: Path) -> list[str]:
    """Return a sentence if anyone may change the manifest, which names commands to run."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return []
    if hasattr(os, "fchown") and mode & stat.S_IWOTH:
        return [f"{path}: every user of this computer may change the manifest, and with it the commands that are run"]
    return []


class _Reading:
    """The bundles of one manifest, in three steps: each table by itself, each bundle resolved, all together."""

    def __init__(self, path: Path, problems: Problems, limits: Limits) -> None:
        self.path = path
        self._folder = str(path.parent)
        self._problems = problems
        self._limits = limits
        self._matcher = Matcher(self._folder, limits)
        self._names: dict[str, str] = {}
        self._places: list[Place] = []

    def bundles(self, document: Mapping[str, Any]) -> list[FleetBundle]:
        """Return the bundles; the mistakes are in the problems."""
        defaults, tables = self._tables(document)
        resolved: list[FleetBundle] = []
        if defaults is not None:
            for place, table in tables:
                resolved += self._resolved(place, table, defaults)
                if len(resolved) > self._limits.manifest_bundles:
                    allowed = self._limits.manifest_bundles
                    self._problems.add(TOP, "", f"more than {allowed:,} bundles (limits.manifest_bundles)")
                    break
        for clash in clashes(resolved, str(self.path)):
            place = self._places[clash.bundle]
            each = f"the file of {resolved[clash.bundle].name!r} " if resolved[clash.bundle].name != place.name else ""
            self._problems.add(place, clash.key, each + clash.why)
        return resolved

    def _tables(self, document: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[tuple[Place, dict[str, Any]]]]:
        """Return the defaults, None if they have mistakes, and the tables of bundles without mistakes."""
        from pkcs12kit.fleet import schema

        for key in document:
            if key in schema.KEYS:
                self._problems.add(TOP, key, "belongs into [defaults] or into a [[bundle]], below its header")
            elif key not in _TOP_KEYS:
                self._problems.add(TOP, key, unknown_key(key, ("defaults", "bundle")))
        defaults = document.get("defaults", {})
        given = document.get("bundle")
        if not isinstance(given, list) or not all(isinstance(table, dict) for table in given):
            missing = "is missing: write a header [[bundle]] for each bundle"
            self._problems.add(TOP, "bundle", missing if given is None else "write each bundle as [[bundle]]")
            given = []
        elif not given:
            self._problems.add(TOP, "bundle", "is empty: write a header [[bundle]] for each bundle")
        if not isinstance(defaults, dict):
            self._problems.add(TOP, "defaults", "expected a table, [defaults]")
            defaults = None
        elif not self._is_right(DEFAULTS, defaults, schema.Defaults):
            defaults = None
        tables = []
        for index, table in enumerate(given):
            name = table.get("name")
            place = Place("bundle", index, name if isinstance(name, str) and name else None)
            if self._is_right(place, table, schema.Bundle):
                tables.append((place, table))
        return defaults, tables

    def _is_right(self, place: Place, table: dict[str, Any], model: Any) -> bool:  # noqa: ANN401  # pydantic's
        """Check one table as it stands in the file, where texts may have templates."""
        from pkcs12kit.fleet import schema

        keys = schema.KEYS if place != DEFAULTS else schema.DEFAULT_KEYS
        _, errors = schema.checked(model, table, schema.TEMPLATES)
        self._problems.add_all(errors, place, keys)
        known = {key: value for key, value in table.items() if key in keys and key != "each"}
        wrong = list(templates.wrong_templates(known, with_folder=place == DEFAULTS or "each" in table))
        for key, text in wrong:
            self._problems.add(place, key, text)
        if place == DEFAULTS:
            output = table.get("output")
            if isinstance(output, str) and "{" not in output.replace("{{", ""):
                wrong.append(("output", "without a template, every bundle would write the same file; add {name}"))
                self._problems.add(place, *wrong[-1])
        elif "each" not in table and "name" not in table:
            wrong.append(("name", "is missing: a bundle has a name, or each"))
            self._problems.add(place, *wrong[-1])
        return not errors and not wrong

    def _resolved(self, place: Place, table: dict[str, Any], defaults: dict[str, Any]) -> list[FleetBundle]:
        """Return the bundles of one table: one, or with ``each`` one for each match."""
        merged, from_defaults = templates.with_defaults(table, defaults)
        pattern = merged.pop("each", None)
        if pattern is None:
            name = self._plain_name(place, merged)
            matches = [] if name is None else [Match(name)]
            merged.pop("name", None)
        else:
            merged.setdefault("name", "{name}")
            try:
                matches = self._matcher.matches(pattern)
            except InputError as error:
                self._problems.add(place, "each", str(error))
                return []
        found = (self._bundle(place, merged, from_defaults, match, is_match=pattern is not None) for match in matches)
        return [bundle for bundle in found if bundle is not None]

    def _plain_name(self, place: Place, table: Mapping[str, Any]) -> str | None:
        """Return the name of a bundle without ``each``, which has no templates."""
        try:
            one, other = (templates.fill_text(table["name"], Match(text)) for text in ("a", "b"))
        except InputError as error:
            self._problems.add(place, "name", str(error))
            return None
        if one != other:
            self._problems.add(place, "name", "{name} stands for the name itself; a name has templates only with each")
            return None
        return one

    def _bundle(
        self, place: Place, table: dict[str, Any], from_defaults: frozenset[str], match: Match, *, is_match: bool
    ) -> FleetBundle | None:
        from pkcs12kit.fleet import schema

        wrong: list[str] = []

        def on_error(key: str, text: str) -> None:
            wrong.append(key)
            self._problems.add(place, key, text)

        filled = templates.filled_in(table, match, on_error=on_error)
        if not is_match:
            filled["name"] = match.name
        checked, errors = schema.checked(schema.Bundle, filled)
        self._problems.add_all(errors, place, schema.KEYS)
        if wrong or errors:
            return None
        for one in contradictions(checked):
            shared = {key for key in (one.key, *one.others) if key}
            at_defaults = bool(shared) and shared <= from_defaults and shared & checked.keys()
            self._problems.add(DEFAULTS if at_defaults else place, one.key, one.text)
            wrong.append(one.key)
        wrong += self._name_taken(place, checked["name"])
        for key, path in _paths(checked):
            if drive := relative_drive(path):
                self._problems.add(place, key, f"{quoted(path)} {why_not_on_drive(drive)}")
                wrong.append(key)
        if wrong:
            return None
        self._places.append(place)
        return self._made(checked)

    def _name_taken(self, place: Place, name: str) -> list[str]:
        key = normalize("NFC", name)
        if key not in self._names:
            self._names[key] = f"bundle {(place.number or 0) + 1}"
            return []
        self._problems.add(place, "name", f"{name!r} is also the name of {self._names[key]}; names are unique")
        return ["name"]

    def _made(self, table: Mapping[str, Any]) -> FleetBundle:
        """Return a bundle that was checked, with absolute paths."""
        options = {key: value for key, value in table.items() if key not in _OWN}
        options |= {key: self._at(options[key]) for key in _PATHS if key in options}
        options |= {key: [self._at(one) for one in options[key]] for key in _LISTS_OF_PATHS if key in options}
        secrets: dict[str, Any] = {key: self._secret(table[key]) for key in PASSWORDS if key in table}
        secrets |= {name: Secret("file", self._at(table[key])) for key, name in _PASSWORD_FILES.items() if key in table}
        paths: dict[str, Any] = {key: self._at(table[key]) for key in ("certificate", "pkcs12") if key in table}
        if "from" in table:
            paths["source"] = self._at(table["from"])
        if "key" in table:
            at = self._at(table["key"])
            # With from it may be the name of a file inside.
            paths["key"] = table["key"] if "from" in table and not os.path.lexists(at) else at
        return FleetBundle(
            name=table["name"],
            output=self._at(table["output"]),
            folder=self._folder,
            certificates=tuple(map(self._at, table.get("certificates", ()))),
            trust_anchors=tuple(map(self._at, table["trust_anchors"])),
            options=options,
            expires_within=parse_duration(table["expires_within"]) if "expires_within" in table else None,
            after=tuple(table.get("after", ())),
            after_timeout=table.get("after_timeout"),
            serves=tuple(table.get("serves", ())),
            serves_timeout=table.get("serves_timeout"),
            **paths,
            **secrets,
        )

    def _secret(self, secret: Secret) -> Secret:
        return Secret("file", self._at(str(secret.value))) if secret.kind == "file" else secret

    def _at(self, path: str) -> str:
        return os.path.join(self._folder, path)  # noqa: PTH118  # a Path would drop a slash at its end


def _paths(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the paths in the table of a bundle, each with its key."""
    for key in _ALL_PATHS:
        given = table.get(key, ())
        yield from ((key, path) for path in (given if isinstance(given, list | tuple) else (given,)))
    secrets = {key: table[key] for key in PASSWORDS if key in table}
    yield from ((key, str(secret.value)) for key, secret in secrets.items() if secret.kind == "file")
