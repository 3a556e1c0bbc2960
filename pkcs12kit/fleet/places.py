"""The check that no output of a manifest is also the output of another bundle, or an input of any bundle.

Two paths are one file if the file system says so: through symbolic links, as hard links, in another spelling, and in
other capital letters in a folder that does not tell them apart. Files that do not exist yet are compared likewise.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pkcs12kit.errors import InputError
from pkcs12kit.file_names import folded, ignores_case
from pkcs12kit.fleet.contradictions import chosen_profile
from pkcs12kit.fleet.run_state import state_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.fleet.bundles import FleetBundle, Manifest

_Identity: TypeAlias = "tuple[object, ...]"
_FOLDERS = ("certificates", "trust_anchors", "crl", "ocsp")
"""The inputs that may be folders, from which everything is read."""


class Clash(NamedTuple):
    """An output that cannot be one: the index of its bundle, its key, and the reason."""

    bundle: int
    key: str
    why: str


def clashes(bundles: Sequence[FleetBundle], manifest: str) -> Iterator[Clash]:
    """Yield each output that is another one's or an input of any bundle. Its own ``pkcs12`` may be rewritten."""
    files = Files()
    inputs: dict[_Identity, tuple[str, int | None]] = {files.identity(manifest): ("the manifest", None)}
    folders: dict[str, str] = {}
    for index, bundle in enumerate(bundles):
        for key, path in inputs_of(bundle):
            owner = index if key == "pkcs12" else None
            known = inputs.get(files.identity(path))
            # an input of two bundles belongs to none of them
            if known is None or known[1] != owner:
                inputs[files.identity(path)] = (f"{key} of bundle {bundle.name!r}", owner if known is None else None)
            if key in _FOLDERS and os.path.isdir(path):  # noqa: PTH112
                folders.setdefault(os.path.realpath(path), f"{key} of bundle {bundle.name!r}")
    outputs: dict[_Identity, str] = {}
    for index, bundle in enumerate(bundles):
        for key, path in bundle.outputs.items():
            there = files.identity(path)
            if there in outputs:
                yield Clash(index, key, f"is the same file as {outputs[there]}: each bundle needs a file of its own")
            outputs.setdefault(there, f"{key} of bundle {bundle.name!r}")
            what, owner = inputs.get(there, (None, None))
            if what is not None and (owner != index or key != "output" or bundle.options.get("to") == "pem"):
                yield Clash(index, key, f"is also {what}: an output never replaces an input; give another name")
            inside = next((one for one in _above(path) if one in folders), None) if _is_read(bundle) else None
            if inside is not None:
                why = f"lies in the folder of {folders[inside]}, and would be read from there; give another folder"
                yield Clash(index, key, why)


def taken_by(path: str, manifest: Manifest) -> str | None:
    """Return what a file is for a manifest: itself, its state, an input or an output; None for another file.

    Files in folders of inputs are not among them.
    """
    files = Files()
    there = files.identity(path)
    state = state_path(manifest.path)
    own = {"the manifest": manifest.path, "its state": state, "the lock of its state": f"{state}.lock"}
    for what, place in own.items():
        if files.identity(str(place)) == there:
            return what
    for bundle in manifest.bundles:
        for key, place in (*bundle.outputs.items(), *inputs_of(bundle)):
            if files.identity(place) == there:
                return f"{key} of bundle {bundle.name!r}"
    return None


def input_folder_above(path: str, manifest: Manifest) -> str | None:
    """Return which input a folder above a file is; None if no input is one."""
    above = set(_above(path))
    for bundle in manifest.bundles:
        for key, place in inputs_of(bundle):
            if os.path.realpath(place) in above:
                return f"{key} of bundle {bundle.name!r}"
    return None


def inputs_of(bundle: FleetBundle) -> Iterator[tuple[str, str]]:
    """Yield the files and folders that a bundle reads, each with its key in the manifest."""
    alone = {"key": bundle.key, "certificate": bundle.certificate, "pkcs12": bundle.pkcs12, "from": bundle.source}
    yield from ((key, path) for key, path in alone.items() if path is not None)
    several = {"certificates": bundle.certificates, "trust_anchors": bundle.trust_anchors}
    several |= {key: tuple(bundle.options.get(key, ())) for key in ("crl", "ocsp")}
    yield from ((key, path) for key, paths in several.items() for path in paths)
    yield from bundle.password_files.items()


def _is_read(bundle: FleetBundle) -> bool:
    """Return True if certificates can be read from the new file without a password."""
    if bundle.options.get("to") == "pem":
        return True
    with suppress(InputError):
        return chosen_profile(bundle.options).certificate_encryption is None
    return False


def _above(path: str) -> Iterator[str]:
    """Yield the folders above a file, as they are without symbolic links."""
    folder = os.path.dirname(os.path.realpath(path))  # noqa: PTH120
    while True:
        yield folder
        above = os.path.dirname(folder)  # noqa: PTH120
        if above == folder:
            return
        folder = above


class Files:
    """Files by their identity, each path looked up once."""

    def __init__(self) -> None:
        self.identity = cache(self._identity)
        self._ignores_case = cache(ignores_case)
        self._real = cache(os.path.realpath)

    def _identity(self, path: str) -> _Identity:
        with suppress(OSError, ValueError):
            status = os.stat(path)  # noqa: PTH116 - a path may be a plain string
            return status.st_dev, status.st_ino
        folder, name = os.path.split(path)
        if name in {"", ".", ".."} or os.path.islink(path):  # noqa: PTH114
            folder, name = os.path.split(os.path.realpath(path))
        else:
            folder = self._real(folder)
        names = [name]
        while True:  # up to the first folder that exists; no link is among them
            with suppress(OSError, ValueError):
                status = os.stat(folder)  # noqa: PTH116
                break
            above, name = os.path.split(folder)
            if above == folder:
                return tuple(reversed(names))
            names.append(name)
            folder = above
        if self._ignores_case(folder):
            names = [folded(name) for name in names]
        return status.st_dev, status.st_ino, *reversed(names)
