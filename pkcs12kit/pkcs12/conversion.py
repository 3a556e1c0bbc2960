"""The same contents in another form: a PFX under other protection or another password, or PEM for servers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.arrangement import KeyLink, arrange
from pkcs12kit.pkcs12.bags import certificate_bag, other_bag
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.encoder import PlainKey, encode_contents
from pkcs12kit.pkcs12.opening import Opener, why_not_authentic
from pkcs12kit.pkcs12.private_keys import encode_private_key
from pkcs12kit.pkcs12.structure import read_pfx

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.identity import Identity
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.asn1 import Asn1Value
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.pkcs12.protection import Profile
    from pkcs12kit.pkcs12.structure import Bag

_PUBLIC: Final = frozenset({"certBag", "crlBag"})


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
    """Encrypt the contents of a PFX anew: other protection, another password, the same contents.

    Every key, certificate, CRL and secret is kept, with names, localKeyIDs and all other attributes, certificates byte
    for byte and in their order; certificates that no reader makes sense of, too. The new file is laid out as
    :func:`~pkcs12kit.encode_pfx` does it: keys last, one password for everything, DER. SafeContents in one another
    become one; bytes after the PFX are left out.

    The new file has a MAC, if ``profile`` has one, whatever the old one had. With ``require_mac`` a file that anybody
    may have changed is refused, as by :func:`~pkcs12kit.decode_pfx`; else ``on_warning`` is called with a sentence.

    ``password`` and ``contents_password`` open ``data`` as for :func:`~pkcs12kit.decode_pfx`, and what that raises is
    raised; ``new_password`` and ``profile`` are for :func:`~pkcs12kit.encode_pfx`, and so are its errors. Raises
    :class:`~pkcs12kit.errors.InputError` where a secret would lie in the clear beside encrypted keys.
    """
    profile = profiles.find(profile)
    pfx = read_pfx(data, budget := WorkBudget(limits))
    opener = Opener(pfx, password=password, contents_password=contents_password, budget=budget, require_mac=require_mac)
    opener.authenticate()
    why = why_not_authentic(pfx.mac, opener.uses)
    if why is not None and on_warning is not None:
        on_warning(why)
    bags: list[Asn1Value] = []
    keys = []
    for bag in (bag for safe in pfx.safes for bag in opener.open_safe(safe)):
        if bag.is_key:
            keys.append(
                PlainKey(
                    private_key_info=opener.open_key_info(bag)[0],
                    friendly_name=bag.friendly_name,
                    local_key_id=bag.local_key_id,
                    attributes=bag.attributes,
                )
            )
        else:
            _require_protected(bag, profile)
            bags.append(_copy(bag))
    return encode_contents(bags, keys, password=new_password, profile=profile, limits=limits, random_bytes=random_bytes)


def encode_pem(
    decoded: DecodedPfx, *, friendly_name: str | None = None, certs_only: bool = False, key_only: bool = False
) -> bytes:
    """Write a private key, not encrypted, and its chain as PEM, for Apache httpd and nginx among others.

    The key comes first, as PKCS#8, then its certificate, then each issuer as far as the file has them, whatever their
    order there; certificates outside the chain are left out. Whether an RSA key is for RSASSA-PSS alone goes by its
    certificate, as in :func:`~pkcs12kit.encode_pfx`. ``friendly_name`` says which of several keys is meant.
    Write it with :func:`~pkcs12kit.write_pfx`: nobody else may read it.

    With ``key_only`` the certificates are left out, and with ``certs_only`` the key, for servers that want two files.
    A file that holds no key takes ``certs_only``, and gives every certificate that can be read, in file order.

    Chaining is by name and key identifier; no signature and no time is checked. Raises
    :class:`~pkcs12kit.errors.InputError` where there is no such key, more than one, or no certificate (for it).
    """
    from asn1crypto import pem

    identity, chain = contents_for_pem(decoded, friendly_name=friendly_name, certs_only=certs_only, key_only=key_only)
    key: bytes = b""
    if identity is not None:
        key = pem.armor("PRIVATE KEY", encode_private_key(identity.private_key, identity.certificate))
    return key + "".join(certificate.to_pem() for certificate in chain).encode("ascii")


def contents_for_pem(
    decoded: DecodedPfx, *, friendly_name: str | None = None, certs_only: bool = False, key_only: bool = False
) -> tuple[Identity | None, tuple[Certificate, ...]]:
    """Choose the key and the certificates that :func:`encode_pem` writes, and raise what it raises."""
    if certs_only and key_only:
        raise TypeError("give certs_only or key_only, not both")
    if certs_only and not decoded.keys and friendly_name is None:
        if not decoded.certificates:
            raise InputError("the PKCS#12 file holds no certificate")
        return None, decoded.certificates
    identity = decoded.identity if friendly_name is None else decoded.key(friendly_name=friendly_name).identity
    if key_only:
        return identity, ()
    certificates = [(certificate, None) for certificate in decoded.certificates]
    chain = arrange([KeyLink(local_key_id=None, certificate=identity.certificate)], certificates).chain
    return None if certs_only else identity, chain


def _require_protected(bag: Bag, profile: Profile) -> None:
    if bag.type not in _PUBLIC and profile.certificate_encryption is None and profile.key_encryption is not None:
        raise InputError(
            f"the PKCS#12 file holds a {bag.type}, which would lie in the clear under the profile {profile.name}"
        )


def _copy(bag: Bag) -> Asn1Value:
    if bag.is_certificate:
        return certificate_bag(
            bag.content, friendly_name=bag.friendly_name, local_key_id=bag.local_key_id, attributes=bag.attributes
        )
    return other_bag(
        bag.type,
        bag.content,
        friendly_name=bag.friendly_name,
        local_key_id=bag.local_key_id,
        attributes=bag.attributes,
    )
