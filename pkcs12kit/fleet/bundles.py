"""The bundles of a manifest, checked and resolved, as jobs carry them. No key and no password is in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from pathlib import Path

_NOT_OF_THE_FILE: Final = frozenset({"name", "expires_within", "after", "after_timeout", "serves", "serves_timeout"})
"""The fields that say nothing about the file's contents, its owner or its protection."""
INPUT_PASSWORDS: Final = ("key_password", "pkcs12_password", "certificate_password", "contents_password")
"""The passwords of inputs, by their names in a bundle, which are those of ``build``."""
PASSWORDS: Final = ("password", *INPUT_PASSWORDS)
"""All passwords of a bundle."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A reference to a password, which is read where it is needed; never the password itself."""

    kind: str
    """``file``, ``env`` or ``command``."""
    value: str | tuple[str, ...]
    """The absolute path of a file, the name of an environment variable, or the words of a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetBundle:
    """One bundle of a manifest: references to its inputs, and how its file is to be made.

    Paths are absolute. It can be sent to another process or machine: it holds no key and no password.
    """

    name: str
    """The name of the bundle, unique in its manifest."""
    output: str
    """The file to write."""
    folder: str
    """The folder of the manifest: where commands run."""
    key: str | None = None
    """The file of the private key."""
    certificate: str | None = None
    """The file of the server's certificate."""
    pkcs12: str | None = None
    """A PKCS#12 file with both."""
    source: str | None = None
    """A delivered folder or zip with both (``from``)."""
    certificates: tuple[str, ...] = ()
    """Files and folders with CA certificates."""
    trust_anchors: tuple[str, ...] = ()
    """The files of the trust anchors."""
    password: Secret | None = None
    """The password of the new file; None where its profile takes none."""
    key_password: Secret | None = None
    """The password of ``key``."""
    pkcs12_password: Secret | None = None
    """The password of ``pkcs12``."""
    certificate_password: Secret | None = None
    """The password of ``certificate``, if that is a PKCS#12 file."""
    contents_password: Secret | None = None
    """The password of the contents, where it differs from that of the MAC."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The other options of ``build``, by their names in the manifest; values are of TOML's types, paths absolute."""
    expires_within: timedelta | None = None
    """The path may not end within this time."""
    after: tuple[str, ...] = ()
    """The command to run once the file has changed; empty for none."""
    after_timeout: float | None = None
    """The seconds that ``after`` may take; None for ``limits.hook_seconds``."""
    serves: tuple[str, ...] = ()
    """The servers, ``host:port`` or ``smtp://host:port``, that have to send the new certificate."""
    serves_timeout: float | None = None
    """The seconds until they have to send it; None for ``limits.served_seconds``."""

    @property
    def outputs(self) -> dict[str, str]:
        """The files to write, each by its key in the manifest."""
        key_output = self.options.get("key_out")
        return {"output": self.output} if key_output is None else {"output": self.output, "key_out": str(key_output)}

    @property
    def secrets(self) -> dict[str, Secret]:
        """The references to passwords, each by its name."""
        return {name: secret for name in PASSWORDS if (secret := getattr(self, name)) is not None}

    @property
    def password_files(self) -> dict[str, str]:
        """The files with passwords, each by the name of the password."""
        return {name: str(secret.value) for name, secret in self.secrets.items() if secret.kind == "file"}

    @property
    def digest(self) -> str:
        """The SHA-256, hexadecimal, of what the file depends on: the references and options, not their contents."""
        said = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in _NOT_OF_THE_FILE}
        return sha256(json.dumps(said, default=_plain, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    return [value.kind, value.value] if isinstance(value, Secret) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest that was read and checked."""

    path: Path
    """The file."""
    bundles: tuple[FleetBundle, ...]
    """The bundles, in the order of the file; those of ``each`` in the order of their names."""
    warnings: tuple[str, ...] = ()
    """Warnings for the user about it."""
