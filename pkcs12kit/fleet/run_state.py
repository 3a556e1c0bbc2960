"""The state between runs: a file beside the manifest with a record for each bundle, and the commands still due.

The file holds no secrets and no commands: what is run is always what the manifest says now. Without the file a run
opens every bundle again. A file that another user could have written is not trusted: such a user could make a run
believe that a bundle is as it should be.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkcs12kit.errors import InputError
from pkcs12kit.file_owners import has_owners, own_numbers
from pkcs12kit.files import OWN, write_private
from pkcs12kit.fleet.locks import running, state_locked
from pkcs12kit.fleet.records import record_from_json, record_to_json, text_of
from pkcs12kit.folders import opened
from pkcs12kit.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from pkcs12kit.fleet.records import Record
    from pkcs12kit.limits import Limits

_FORMAT: Final = "pkcs12kit fleet state"
_VERSION: Final = 1
_OF_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_CHUNK: Final = 1 << 20
_NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleState:
    """The memory of one bundle between runs. Runs are named by random tokens."""

    record: Record | None = None
    """The bundle as it was when its file was last found to be right."""
    pending: frozenset[str] = _NONE
    """The runs that were about to write the file, and have not said that they are done."""
    hook: frozenset[str] = _NONE
    """The runs that wrote the file and after which the bundle's command has not succeeded."""


class _Change(NamedTuple):
    """A change of one bundle's state. Changes of several runs can be made in any order."""

    name: str
    record: Record | None
    added: Mapping[str, frozenset[str]]
    removed: Mapping[str, frozenset[str]]

    def made_to(self, old: BundleState) -> BundleState:
        """Return the state after the change."""
        tokens = {
            part: (getattr(old, part) | self.added.get(part, _NONE)) - self.removed.get(part, _NONE)
            for part in ("pending", "hook")
        }
        return replace(old, record=self.record or old.record, **tokens)


class FleetState:
    """The state of all bundles of a manifest, as one run sees and changes it.

    Changes are kept until :meth:`save`, which makes them to the file as it is then: another run of the same manifest
    may have changed it in between, and loses nothing.
    """

    def __init__(self, path: Path, bundles: Mapping[str, BundleState], *, limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = path
        self.alone = True
        """False if another run of the manifest was going on when this one began."""
        self._bundles = dict(bundles)
        self._changes: list[_Change] = []
        self._forgotten: frozenset[str] = _NONE
        self._limits = limits

    @classmethod
    def load(
        cls, manifest: Path, *, limits: Limits = DEFAULT_LIMITS, on_warning: Callable[[str], object] | None = None
    ) -> FleetState:
        """Return the state beside a manifest; an empty one, with a warning, where the file cannot be trusted."""
        path = state_path(manifest)
        try:
            bundles = _read(path, limits)
        except InputError as error:
            bundles = {}
            if on_warning is not None:
                on_warning(f"{path}: {error}; this run opens every file, and does not know which commands are due")
        return cls(path, bundles or {}, limits=limits)

    @classmethod
    @contextmanager
    def opened(
        cls, manifest: Path, *, limits: Limits = DEFAULT_LIMITS, on_warning: Callable[[str], object] | None = None
    ) -> Iterator[FleetState]:
        """Return the state for a run that may change it, and mark that this run is going on.

        Raises :class:`~pkcs12kit.OutputError` where nothing can be written beside the manifest.
        """
        path = state_path(manifest)
        guard = path.with_name(f"{path.name}.lock")
        mark = path.with_name(f"{path.name}.running")
        with running(mark, guard, lambda: cls.load(manifest, limits=limits, on_warning=on_warning)) as (alone, state):
            state.alone = alone
            yield state

    def of(self, name: str) -> BundleState:
        """Return what is known of a bundle."""
        return self._bundles.get(name) or BundleState()

    @property
    def has_changed(self) -> bool:
        """True if there is something to save."""
        return bool(self._changes or self._forgotten)

    def change(
        self,
        name: str,
        *,
        record: Record | None = None,
        added: Mapping[str, Iterable[str]] | None = None,
        removed: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """Replace the record of a bundle, where one is given, and add and remove runs by the field that has them."""
        change = _Change(name, record, _frozen(added), _frozen(removed))
        old = self.of(name)
        self._bundles[name] = change.made_to(old)
        if self._bundles[name] != old or change.removed:
            self._changes.append(change)

    def keep_only(self, names: Iterable[str]) -> None:
        """Forget the bundles that are not in the manifest any more; those that another run adds now are kept."""
        self._forgotten = frozenset(self._bundles) - frozenset(names)

    def save(self) -> None:
        """Make the changes to the file. Raises :class:`~pkcs12kit.OutputError`; the changes are kept then."""
        if not self.has_changed:
            return
        with state_locked(self.path.with_name(f"{self.path.name}.lock")):
            try:
                bundles = _read(self.path, self._limits)
            except InputError:
                bundles = None
            if bundles is None:  # there is none, or none that can be trusted: what this run knows is all
                bundles = dict(self._bundles)
            for change in self._changes:
                bundles[change.name] = change.made_to(bundles.get(change.name) or BundleState())
            for name in self._forgotten:
                bundles.pop(name, None)
            write_private(self.path, _encoded(bundles), access=OWN)
        self._bundles = bundles
        self._changes = []
        self._forgotten = _NONE


def state_path(manifest: Path) -> Path:
    """Return the path of the state of a manifest: hidden, beside it, with its name."""
    return manifest.with_name(f".{manifest.name}.state.json")


def _frozen(tokens: Mapping[str, Iterable[str]] | None) -> dict[str, frozenset[str]]:
    return {part: several for part, runs in (tokens or {}).items() if (several := frozenset(runs))}


def _read(path: Path, limits: Limits) -> dict[str, BundleState] | None:
    """Return the bundles of the file, None if there is none. Raises :class:`InputError` with the reason."""
    try:
        with opened(path.parent) as folder:
            descriptor = folder.open(path.name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            try:
                _require_own(os.fstat(descriptor), limits)
                data = b"".join(iter(lambda: os.read(descriptor, _CHUNK), b""))
            finally:
                os.close(descriptor)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"the state cannot be read: {error.strerror}") from None
    return _decoded(data)


def _require_own(status: os.stat_result, limits: Limits) -> None:
    """Raise :class:`InputError` for a file that someone else could have written, as ssh does for its own files."""
    if not stat.S_ISREG(status.st_mode):
        raise InputError("the state is not a regular file")
    if has_owners():
        if status.st_uid not in {0, own_numbers()[0]}:
            raise InputError("the state belongs to another user and is not trusted")
        if status.st_mode & _OF_OTHERS:
            raise InputError("the state is not trusted, because other users may write to it (make its mode 0600)")
    if status.st_size > limits.fleet_state_bytes:
        raise InputError(f"the state is longer than {limits.fleet_state_bytes:,} bytes (fleet_state_bytes)")


def _encoded(bundles: Mapping[str, BundleState]) -> bytes:
    entries = {
        name: {
            "record": None if one.record is None else record_to_json(one.record),
            **{part: sorted(getattr(one, part)) for part in ("pending", "hook")},
        }
        for name, one in sorted(bundles.items())
    }
    whole = {"format": _FORMAT, "version": _VERSION, "bundles": entries}
    return json.dumps(whole, separators=(",", ":")).encode() + b"\n"


def _decoded(data: bytes) -> dict[str, BundleState]:
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        raise InputError("the state is damaged") from None
    if not isinstance(whole, dict) or whole.get("format") != _FORMAT:
        raise InputError("the file is not the state of a manifest")
    if whole.get("version") != _VERSION:
        raise InputError("the state was written by another version of pkcs12kit")
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        return {text_of(name): _bundle(entry) for name, entry in whole["bundles"].items()}
    raise InputError("the state is damaged")


def _bundle(entry: Mapping[str, Any]) -> BundleState:
    """Return the state of a bundle. Raises :class:`KeyError`, :class:`TypeError` or :class:`ValueError`."""
    tokens = {part: frozenset(map(text_of, entry[part])) for part in ("pending", "hook")}
    return BundleState(record=None if entry["record"] is None else record_from_json(entry["record"]), **tokens)
