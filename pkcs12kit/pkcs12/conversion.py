"""Conversion of a PFX: the same contents under another protection or password, or as PEM for servers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_flags, require_function, require_functions, require_kind, require_texts
from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.arrangement import KeyLink, arrange
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.copying import EntryCopier
from pkcs12kit.pkcs12.decoder import DecodedPfx
from pkcs12kit.pkcs12.encoder import encode_contents
from pkcs12kit.pkcs12.entries import list_entries
from pkcs12kit.pkcs12.opening import Opener, why_not_authentic
from pkcs12kit.pkcs12.private_keys import private_key_pem
from pkcs12kit.pkcs12.structure import read_pfx
from pkcs12kit.times import time_or_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.pkcs12.decoded_keys import DecodedKey
    from pkcs12kit.pkcs12.protection import Profile


def convert_pfx(  # noqa: PLR0913  # each choice has its own keyword
    data: bytes,
    *,
    password: str | None,
    contents_password: str | None = None,
    new_password: str | None,
    profile: str | Profile = profiles.MODERN,
    require_mac: bool = False,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Return the bytes of a PFX converted to another protection or password.

    Parameters and errors are those of :func:`pkcs12kit.convert_pfx`.
    """
    require_kind("data", data, bytes)
    require_kind("limits", limits, Limits)
    require_flags(require_mac=require_mac)
    require_texts(password=password, contents_password=contents_password, new_password=new_password)
    require_functions(on_warning=on_warning)
    require_function("random_bytes", random_bytes)
    profile = profiles.find(profile)
    pfx = read_pfx(data, budget := WorkBudget(limits))
    opener = Opener(pfx, password=password, contents_password=contents_password, budget=budget, require_mac=require_mac)
    opener.authenticate()
    why = why_not_authentic(pfx.mac, opener.uses)
    if why is not None and on_warning is not None:
        on_warning(why)
    entries = opener.read_keys(list_entries(map(opener.open_safe, pfx.safes)))
    old = {password, password if contents_password is None else contents_password}
    copier = EntryCopier(opener, budget, profile, password_changes=old != {new_password}, on_warning=on_warning)
    copier.copy(entries)
    return encode_contents(
        copier.bags, copier.keys, password=new_password, profile=profile, limits=limits, random_bytes=random_bytes
    )


def encode_pem(
    decoded: DecodedPfx,
    *,
    friendly_name: str | None = None,
    local_key_id: bytes | None = None,
    time: datetime | None = None,
    certs_only: bool = False,
    key_only: bool = False,
    traditional: bool = False,
    on_warning: Callable[[str], object] | None = None,
) -> bytes:
    """Return the private key of ``decoded``, not encrypted, and its chain, as PEM, for servers such as Apache httpd.

    The key is first, as PKCS#8, then its certificate, then each issuer that the file has, in any order there.
    Certificates outside the chain are left out. An RSA key is for RSASSA-PSS only if its certificate says so, as in
    :func:`~pkcs12kit.encode_pfx`. Write the result with :func:`~pkcs12kit.write_pfx`, so that only its owner may read
    it.

    - ``friendly_name``, ``local_key_id``: select one of several keys, as in ``decoded.key``.
    - ``time``: of several certificates of the key the newest that is valid at this time (None for now) is taken; if
      none is valid, the newest. ``on_warning`` is called with a sentence that names the others.
    - ``certs_only`` leaves out the key, and ``key_only`` the certificates, for servers that need two files. With
      ``key_only`` the file needs no certificate for the key. For a file without a key use ``certs_only``: all
      certificates that can be read are returned, in file order.
    - ``traditional``: encode the key in the form older than PKCS#8: PKCS#1 for RSA, SEC 1 for elliptic curves.

    Certificates are chained by name and key identifier; no signature is checked. Raises
    :class:`~pkcs12kit.errors.InputError` if there is no such key, no certificate (for it), or no traditional form of
    the key, :class:`~pkcs12kit.errors.KeyChoiceError` if there is more than one key, and
    :class:`~pkcs12kit.ArgumentError` for ``certs_only`` with ``key_only`` or ``traditional``.
    """
    require_kind("decoded", decoded, DecodedPfx)
    require_texts(friendly_name=friendly_name)
    require_kind("local_key_id", local_key_id, bytes, optional=True)
    require_flags(certs_only=certs_only, key_only=key_only, traditional=traditional)
    require_functions(on_warning=on_warning)
    if certs_only and (key_only or traditional):
        raise ArgumentError(f"give certs_only or {'key_only' if key_only else 'traditional'}, not both")
    time = time_or_now(time)
    key, chain = contents_for_pem(
        decoded,
        friendly_name=friendly_name,
        local_key_id=local_key_id,
        time=time,
        certs_only=certs_only,
        key_only=key_only,
    )
    written = b""
    if key is not None and not certs_only:
        written = private_key_pem(
            key.private_key,
            key.certificate_at(time),
            private_key_info=key.private_key_info,
            traditional=traditional,
        )
    others = None if key is None or key_only else key.other_certificates_at(time)
    if others is not None and on_warning is not None:
        on_warning(others)
    return written + certificates_pem(chain)


def certificates_pem(certificates: Iterable[Certificate]) -> bytes:
    """Return certificates as PEM, in this order."""
    return "".join(certificate.to_pem() for certificate in certificates).encode("ascii")


def contents_for_pem(
    decoded: DecodedPfx,
    *,
    friendly_name: str | None,
    local_key_id: bytes | None,
    time: datetime,
    certs_only: bool,
    key_only: bool,
) -> tuple[DecodedKey | None, tuple[Certificate, ...]]:
    """Return the key, also if only its chain is written, and the certificates that :func:`encode_pem` encodes."""
    if certs_only and not decoded.keys and friendly_name is None and local_key_id is None:
        if not decoded.certificates:
            raise InputError("the PKCS#12 file holds no certificate")
        return None, decoded.certificates
    key = decoded.key(friendly_name=friendly_name, local_key_id=local_key_id)
    if key_only:
        return key, ()
    certificates = [(certificate, None) for certificate in decoded.certificates]
    own = key.certificate_at(time)
    if own is None:
        raise InputError(
            "the PKCS#12 file holds no certificate for its private key; the key alone can be written (--key-only)"
        )
    return key, arrange([KeyLink(local_key_id=None, certificate=own)], certificates).chain
