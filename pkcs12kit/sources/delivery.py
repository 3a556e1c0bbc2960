"""A delivered folder or zip: the private key in it, the certificate that belongs to it, and all other certificates."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.choice import by_preference, name_others
from pkcs12kit.certificates.identity import Identity
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import InputError, KeyChoiceError, LimitExceededError, PasswordError
from pkcs12kit.pkcs12.budget import SharedWork
from pkcs12kit.pkcs12.decoded_keys import certificates_by_key, encode_public_key
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.shell_words import quote_word
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.identities import LoadedIdentity
from pkcs12kit.sources.keys import read_key_block, read_private_key, require_signing_key
from pkcs12kit.sources.loading import load_certificates
from pkcs12kit.sources.reading import name_of
from pkcs12kit.sources.sniffing import Kind
from pkcs12kit.text import counted, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.sources.collecting import Location
    from pkcs12kit.sources.containers import PemBlock
    from pkcs12kit.sources.key_sources import Opening
    from pkcs12kit.sources.loading import CertificateSource
    from pkcs12kit.sources.reading import Source

_KEYS: Final = frozenset({Kind.PRIVATE_KEY, Kind.ENCRYPTED_PRIVATE_KEY})
_LISTED: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A private key that is read, its file, and its name and ID in a PKCS#12 file."""

    source: str
    private_key: CertificateIssuerPrivateKeyTypes = field(repr=False)
    friendly_name: str | None = None
    key_id: bytes | None = None

    @property
    def public_key(self) -> bytes:
        """The SubjectPublicKeyInfo."""
        return encode_public_key(self.private_key.public_key())

    def has(self, key_name: str | None, key_id: bytes | None) -> bool:
        """Return True if the key has this name and this ID; None accepts any."""
        ids = {self.key_id, sha256(self.public_key).digest()}
        return (key_name is None or key_name == self.friendly_name) and (key_id is None or key_id in ids)


class _DeliveryCollector(Collector):
    """A collector that keeps private keys and PKCS#12 files, to open them later, beside the certificates.

    ``left_out`` are the files that are passed over, by device and inode: those that the call writes.
    """

    def __init__(self, opening: Opening, left_out: Iterable[str | os.PathLike[str]]) -> None:
        super().__init__(password=None, limits=opening.limits)
        self.closed: dict[str, list[Callable[[str | None], list[_Found]]]] = {}
        """The private keys and PKCS#12 files of each file, not opened yet."""
        self.passed_over: list[str] = []
        self.unusable: list[str] = []
        self._opening = opening
        self._shared = SharedWork()
        self._kept = 0
        self._left_out = {(status.st_dev, status.st_ino) for status in map(_status, left_out) if status is not None}

    def open_all(self, password: str | None) -> Iterator[_Found]:
        """Yield the private keys that this password opens; the others stay closed."""
        for name, parts in [*self.closed.items()]:
            still: list[Callable[[str | None], list[_Found]]] = []
            for part in parts:
                try:
                    yield from part(password)
                except LimitExceededError:
                    raise
                except PasswordError:
                    still.append(part)
                except InputError as error:
                    self.unusable.append(str(error))
            self.closed[name] = still
        self.closed = {name: parts for name, parts in self.closed.items() if parts}

    def _is_passed_over(self, path: str) -> bool:
        status = _status(path)
        if status is None or (status.st_dev, status.st_ino) not in self._left_out:
            return False
        self.passed_over.append(path)
        return True

    def _require_certificate(self, name: str, certificates: int, rejects: int, found: str, data: bytes | None) -> None:
        """Raise nothing: a delivery may have keys in one file and certificates in another."""

    def _pass_over(self, location: Location, kind: Kind, data: bytes) -> None:
        if kind in _KEYS:
            self._keep_key(location.name, partial(read_private_key, data))

    def _pass_over_block(self, location: Location, block: PemBlock) -> None:
        if block.kind in _KEYS or block.label.endswith("PRIVATE KEY"):
            self._keep_key(location.name, partial(read_key_block, block))

    def _pkcs12(self, location: Location, data: bytes) -> None:
        self._keep(location.name, lambda password: self._open_pkcs12(location, data, password))

    def _open_pkcs12(self, location: Location, data: bytes, password: str | None) -> list[_Found]:
        opening = self._opening
        try:
            decoded = decode_pfx(
                data,
                password=password,
                contents_password=opening.contents_password,
                require_mac=opening.require_mac,
                limits=opening.limits,
            )
        except InputError as error:
            raise error.placed(f"{location.name}:") from None
        for certificate in decoded.certificates:
            self._add(location, certificate)
        for reject in decoded.rejects:
            self._reject(location, reject.reason)
        if opening.on_warning is not None:
            for warning in (*decoded.warnings, *decoded.left_out):
                opening.on_warning(f"{location.name}: {warning}")
        return [
            _Found(
                source=location.name,
                private_key=require_signing_key(key.private_key, location.name),
                friendly_name=key.friendly_name,
                key_id=key.local_key_id,
            )
            for key in decoded.keys
        ]

    def _keep_key(self, name: str, read: Callable[..., CertificateIssuerPrivateKeyTypes]) -> None:
        """Keep a private key, which ``read`` returns for a password."""
        read = partial(read, name=name, limits=self._opening.limits, work=self._shared)
        self._keep(name, lambda password: [_Found(source=name, private_key=read(password=password))])

    def _keep(self, name: str, part: Callable[[str | None], list[_Found]]) -> None:
        self._kept += 1
        if self._kept <= self._opening.limits.delivered_keys:
            self.closed.setdefault(name, []).append(part)

    def require_few(self, name: str) -> None:
        """Raise :class:`~pkcs12kit.errors.LimitExceededError` for more keys than are opened."""
        allowed = self._opening.limits.delivered_keys
        if self._kept > allowed:
            raise LimitExceededError(
                f"{name}: more than {allowed:,} private keys and PKCS#12 files in one delivery (limits.delivered_keys);"
                " give a folder with fewer, or the key and the certificate by name"
            )


def load_delivery(
    source: Source,
    opening: Opening,
    *,
    key: str | os.PathLike[str] | None = None,
    certificate: CertificateSource | None = None,
    left_out: Iterable[str | os.PathLike[str]] = (),
) -> tuple[LoadedIdentity, tuple[str, ...]]:
    """Find the private key of a delivered folder or zip, and its certificate; also return the files left out.

    Key and certificate may be in any files of the delivery.

    - ``key``: the name of the key's file in the delivery, if it has several keys; ``opening`` may name a key instead.
    - ``certificate``: the certificate to use, or its file, which may be in the delivery or elsewhere.
    - ``left_out``: files that are passed over, because the call writes them.

    Passwords are tried on every encrypted key and PKCS#12 file. A function is asked for one only if the key is not
    found without it. Files with passwords are not looked into. Raises :class:`~pkcs12kit.errors.KeyChoiceError`, which
    lists how to choose, for keys of several certificates, :class:`~pkcs12kit.errors.PasswordError`, and
    :class:`~pkcs12kit.errors.InputError` if a key or its certificate is missing, which says what was found.
    """
    name = name_of(source)
    collector = _DeliveryCollector(opening, left_out)
    collector.collect(source)
    collector.require_few(name)
    given = () if certificate is None else tuple(load_certificates(certificate, limits=opening.limits))
    delivery = _Delivery(name, collector, opening, key=None if key is None else os.fspath(key), given=given)
    identity = delivery.identity()
    pool = CertificatePool(dict.fromkeys((*given, *collector.certificates)), rejects=dict.fromkeys(collector.rejects))
    return LoadedIdentity(identity=identity, certificates=pool), tuple(collector.passed_over)


class _Delivery:
    """The choice of the one identity of a delivery."""

    def __init__(
        self,
        name: str,
        collector: _DeliveryCollector,
        opening: Opening,
        *,
        key: str | None,
        given: tuple[Certificate, ...],
    ) -> None:
        self._name = name
        self._collector = collector
        self._opening = opening
        self._key = key
        self._given = given
        self._keys: list[_Found] = []

    def identity(self) -> Identity:
        """Return the one identity. Raises as :func:`load_delivery` does."""
        for password in dict.fromkeys((None, self._opening.key_password, self._opening.password)):
            if password is None or isinstance(password, str):
                self._keys += self._collector.open_all(password)
        if self._needs_password():
            self._ask()
        candidates = self._candidates()
        if not candidates:
            raise self._nothing_found()
        if len(candidates) > 1:
            raise KeyChoiceError(self._choices(candidates))
        (found, preferred) = candidates[0]
        warn = self._opening.on_warning
        if warn is not None:
            if (others := name_others(preferred, self._opening.time)) is not None:
                warn(f"{self._name}: {others}")
            if closed := self._closed():
                warn(
                    f"{self._name}: not opened, because the key was found without: {_names(closed)}; give"
                    " their password with --key-password-file to have them looked into"
                )
        return Identity(private_key=found.private_key, certificate=preferred[0])

    def _closed(self) -> list[str]:
        """Return the names of the files that are still closed, and could hold the key that is asked for."""
        return [name for name in self._collector.closed if self._key is None or self._is_at(name)]

    def _is_at(self, name: str) -> bool:
        """Return True if ``name``, of a file in the delivery, is the file that was asked for."""
        asked = os.path.normpath(self._key or "").replace("\\", "/")
        inside = name.removeprefix(self._name).lstrip("!/")
        if asked in {os.path.normpath(name), inside, inside.replace("!", "/")}:
            return True
        mine, other = _status(name), _status(self._key or "")
        return mine is not None and other is not None and os.path.samestat(mine, other)

    def _chosen(self) -> list[_Found]:
        opening = self._opening
        chosen = [one for one in self._keys if one.has(opening.key_name, opening.key_id)]
        return [one for one in chosen if self._key is None or self._is_at(one.source)]

    def _candidates(self) -> list[tuple[_Found, Sequence[Certificate]]]:
        """Return each chosen key that has a certificate, once, with its certificates, the one to use first."""
        index = certificates_by_key(self._given or self._collector.certificates)
        distinct = {one.public_key: one for one in reversed(self._chosen())}
        matched = ((one, index.get(public_key, ())) for public_key, one in reversed(distinct.items()))
        return [(one, by_preference(its, self._opening.time)) for one, its in matched if its]

    def _needs_password(self) -> bool:
        """Return True if a closed file may hold the key: none is found, or a server's certificate has none yet."""
        if not self._closed():
            return False
        if not self._candidates():
            return True
        if self._key is not None or self._given or (self._opening.key_name or self._opening.key_id) is not None:
            return False
        keys = {one.public_key for one in self._keys}
        of_servers = certificates_by_key(one for one in self._collector.certificates if not one.is_ca)
        return not of_servers.keys() <= keys

    def _ask(self) -> None:
        """Ask for the password, if a function for that was given, and open what it opens."""
        closed = self._closed()
        tried = any(isinstance(one, str) for one in (self._opening.key_password, self._opening.password))
        ask = self._opening.key_password
        if callable(ask):
            try:
                self._keys += self._collector.open_all(ask())
            except PasswordError as error:
                raise PasswordError(f"{self._closed_in_words(closed)}; {error}") from None
            tried = True
        if self._needs_password():
            why = "the password does not open it" if tried else "no password was given"
            cure = "give the right one" if tried else "give it"
            raise PasswordError(
                f"{self._closed_in_words(self._closed())}, and {why}: {cure} with --key-password-file, or choose"
                " another key with --key FILE"
            )

    def _closed_in_words(self, closed: Sequence[str]) -> str:
        first, *others = closed
        more = f" (and {len(others)} more)" if others else ""
        return f"{first}{more}: encrypted, and may hold the private key of a certificate in {self._name}"

    def _choices(self, candidates: Sequence[tuple[_Found, Sequence[Certificate]]]) -> str:
        listed = [self._choice(found, certificates[0]) for found, certificates in candidates]
        return (
            f"{self._name}: {len(candidates)} private keys with a certificate, and none is chosen; choose one of:"
            f" {'; '.join(shortened(listed, _LISTED))}"
        )

    def _choice(self, found: _Found, certificate: Certificate) -> str:
        """Return the options that choose this key, and its certificate."""
        inside = found.source.removeprefix(self._name).lstrip("!/") or found.source
        digest = sha256(found.public_key).hexdigest()
        alone = sum(one.source == found.source for one in self._keys) == 1
        option = f"--key {quote_word(inside)}" if alone else f"--key-id {digest}"
        name = "" if found.friendly_name is None else f", --key-name {quote_word(found.friendly_name)}"
        until = certificate.not_after.date()
        return f"{option}{name} (for {certificate.subject.label}, until {until}, in {found.source})"

    def _nothing_found(self) -> InputError:
        chosen, certificates = self._chosen(), self._given or tuple(self._collector.certificates)
        in_all = counted(len(set(certificates)), "certificate")
        over = ", ".join(self._collector.passed_over)
        note = f" ({over} was left out of the search, because it is the file to write)" if over else ""
        if self._keys and not chosen:
            keys = shortened([one.source for one in self._keys], _LISTED)
            return InputError(
                f"{self._name}: no private key is the one that was chosen (--key, --key-name, --key-id); there are keys"
                f" in {', '.join(keys)}{note}"
            )
        if not chosen:
            unusable = (
                f"; not usable: {'; '.join(shortened(self._collector.unusable, _LISTED))}"
                if (self._collector.unusable)
                else ""
            )
            return InputError(
                f"{self._name}: no private key, but {in_all}{unusable}{note}; give a folder or zip that has it, or"
                " --key and --cert without --from"
            )
        keys = shortened([one.source for one in chosen], _LISTED)
        where = "given as its certificate" if self._given else "in the delivery"
        return InputError(
            f"{self._name}: no certificate for the private key in {', '.join(keys)}: there {_are(certificates)}"
            f" {in_all} {where}, and none belongs to it{note}; give its certificate with --cert"
        )


def _names(names: Sequence[str]) -> str:
    """Return the first names of files, and the number of the others."""
    return ", ".join(shortened(names, _LISTED))


def _are(several: Sequence[object]) -> str:
    return "is" if len(several) == 1 else "are"


def _status(path: str | os.PathLike[str]) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - a path may be a plain string
    except (OSError, ValueError):
        return None
