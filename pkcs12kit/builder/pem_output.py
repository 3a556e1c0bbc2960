"""The PEM file, or the two PEM files, that a build writes for a server: its unencrypted key and its chain."""

from __future__ import annotations

import secrets
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_flags, require_kind
from pkcs12kit.builder.output import read_with_differences
from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.file_access import WITHOUT_KEY
from pkcs12kit.files import require_writable
from pkcs12kit.outputs.existing import Form, PemParts, content_of, keys_of_server
from pkcs12kit.outputs.input_files import require_distinct
from pkcs12kit.paired_files import NewFile, write_private_together
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.bundle import Bundle
from pkcs12kit.pkcs12.conversion import certificates_pem
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.private_keys import private_key_pem
from pkcs12kit.sources.identities import load_identity
from pkcs12kit.sources.pem_comparison import compare_pem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.builder.output import Writing
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.pkcs12.comparison import Difference
    from pkcs12kit.pkcs12.decoder import DecodedPfx


def as_pkcs12(key: bytes, certificates: tuple[Certificate, ...]) -> tuple[bytes, str]:
    """Return a key in PEM and its certificates as a PKCS#12 file, for a rehearsal, and the password of that file."""
    identity = load_identity(key=key, certificate=certificates[0])
    bundle = Bundle(private_key=identity.private_key, certificates=certificates)
    profile = profiles.MODERN.with_iterations(
        encryption=profiles.MODERN.minimum_iterations, mac=profiles.MODERN.minimum_iterations
    )
    password = secrets.token_hex()
    return encode_pfx(bundle, password=password, profile=profile), password


class PemOutput:
    """The file or files to be written: the key, not encrypted, then its certificate and each issuer.

    With ``key_output`` the key is in a file of its own, and ``output`` has only certificates.
    """

    profile = None

    def __init__(  # the inputs of build
        self,
        output: str | PathLike[str] | None,
        key_output: str | PathLike[str] | None,
        writing: Writing,
        *,
        traditional: bool,
    ) -> None:
        require_kind("output", output, str, PathLike, optional=True)
        require_kind("key_output", key_output, str, PathLike, optional=True)
        require_flags(traditional=traditional)
        writing.require_output(output)
        if key_output is not None and output is None:
            raise ArgumentError("key_output needs an output: the certificates belong to the key")
        self.output = None if output is None else Path(output)
        self.key_output = None if key_output is None else Path(key_output)
        if output is not None and key_output is not None:
            require_distinct([("output", output), ("key_output", key_output)])
        self._places = {
            Path(path): writing.place(path, Form.PEM, name=name)
            for name, path in (("key_output", key_output), ("output", output))
            if path is not None
        }
        self._at_hand = PemParts()
        self._own: Certificate | None = None
        self.data = b""
        self.key_data: bytes | None = None
        self.change: str | None = None
        self.differences: tuple[Difference, ...] = ()
        self.replaced: tuple[Certificate, ...] = ()
        self.is_new = True
        self._traditional = traditional
        self._writing = writing

    def encode(self, bundle: Bundle) -> None:
        """Encode the bundle, and compare it with the files in their place if that is asked for.

        Raises :class:`~pkcs12kit.errors.InputError` for a key without a traditional form, if that is asked for.
        """
        key = b""
        if bundle.private_key is not None:
            key = private_key_pem(bundle.private_key, bundle.certificates[0], traditional=self._traditional)
            self._at_hand = PemParts.of([bundle.private_key], bundle.certificates)
            self._own = bundle.certificates[0]
        chain = certificates_pem(bundle.certificates)
        if self.key_output is None:
            self.data = key + chain
        else:
            self.data, self.key_data = chain, key
        if self._writing.if_changed:
            self.change = self._why_changed()
            self.is_new = self.change is not None

    def require_nothing_lost(self, old: DecodedPfx | None, bundle: Bundle) -> Iterator[str]:  # noqa: ARG002  # as for PKCS#12
        """Yield nothing: PEM is never written in the place of an input."""
        yield from ()

    def warnings(self) -> Iterator[str]:
        """Yield nothing: that the key is not encrypted is what servers need, and the answer says so."""
        yield from ()

    def write(self) -> None:
        """Write what is new; in a dry run, check that it could be written. Raises ``OutputError``."""
        if self.output is None or not self.is_new:
            return
        at_hand = self._with_replaced_keys()
        for file in self._files():
            self._places[file.path].require_free(file.data, at_hand=at_hand)
            self._places[file.path].warn_of_loss(file.data, self._writing.access)
        if self._writing.dry_run:
            for file in self._files():
                require_writable(file.path, access=file.access)
        else:
            write_private_together(self._files())

    def _with_replaced_keys(self) -> PemParts:
        """Return what is at hand, and the keys of a server's files that are replaced: their certificates are there.

        A new key of a renewed certificate may replace them. Another private key in their place is not that of this
        server. A build without a key replaces none.
        """
        if self._own is None:
            return self._at_hand
        keys = set(self._at_hand.keys)
        for path in self._places:
            there = content_of(path, self._writing.limits)
            if there is not None:
                keys |= keys_of_server(there, self._own, self._writing.limits)
        return replace(self._at_hand, keys=frozenset(keys))

    def _files(self) -> tuple[NewFile, ...]:
        """Return each file; the key's is first, because a server has no use for the chain before."""
        access = self._writing.access
        if self.output is None:
            return ()
        if self.key_output is None:
            return (NewFile(path=self.output, data=self.data, access=access),)
        return (
            NewFile(path=self.key_output, data=self.key_data or b"", access=access),
            NewFile(path=self.output, data=self.data, access=replace(access, most=WITHOUT_KEY)),
        )

    def _why_changed(self) -> str | None:
        """Compare each file with the one in its place, and return the first difference."""
        first = None
        for file in self._files():
            try:
                there, of_access = read_with_differences(
                    file.path, limit=self._writing.limits.input_bytes, access=file.access
                )
            except InputError as error:
                found: tuple[Difference, ...] = ()
                why: str | None = str(error)
            else:
                compared = compare_pem(there, file.data, limits=self._writing.limits)
                self.replaced += compared.certificates
                found = (*of_access, *compared.differences)
                why = found[0].sentence if found else None
            self.differences += found
            if why is not None and first is None:
                first = why if self.key_output is None else f"{file.path}: {why}"
        return first
