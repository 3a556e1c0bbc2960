"""Copies of the entries of a PFX under another protection; no entry stays under an old password unnoticed.

Private keys and the secrets of Java are decrypted, and the encoder encrypts their octets again, whether or not they are
read. Other values are copied byte for byte, and so are all attributes. What is encrypted on its own and cannot be
decrypted, or may be, stays as it is: where the password changes, such a file is refused; else a warning names the
entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError, MalformedPfxError, PfxError, PfxPasswordError, UnsupportedPfxError
from pkcs12kit.pkcs12.asn1 import is_one_sequence
from pkcs12kit.pkcs12.bags import other_bag
from pkcs12kit.pkcs12.derivation import foresee
from pkcs12kit.pkcs12.encoder import PlainKey, PlainSecret
from pkcs12kit.pkcs12.private_keys import portable_key_info
from pkcs12kit.pkcs12.sealed_secrets import is_password_key, may_be_encrypted, read_sealed_secret
from pkcs12kit.pkcs12.structure import NESTED_ATTRIBUTES
from pkcs12kit.text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pkcs12kit.pkcs12.asn1 import Asn1Value
    from pkcs12kit.pkcs12.budget import WorkBudget
    from pkcs12kit.pkcs12.encryption import Encryption
    from pkcs12kit.pkcs12.entries import Entry
    from pkcs12kit.pkcs12.opening import Opener
    from pkcs12kit.pkcs12.protection import Profile
    from pkcs12kit.pkcs12.sealed_secrets import SealedSecret
    from pkcs12kit.pkcs12.structure import Bag

_PUBLIC: Final = frozenset({"certBag", "crlBag"})
_NAMED_AT_MOST: Final = 5
ATTRIBUTES_LEFT_OUT: Final = f"{NESTED_ATTRIBUTES} and are left out"
"""The end of the warning of the only thing that a copy does not have."""


class EntryCopier:
    """The copying of the entries of one file. ``bags`` and ``keys`` are for the encoder.

    ``password_changes`` is True unless every password that opens the file is that of the copy.
    """

    def __init__(
        self,
        opener: Opener,
        budget: WorkBudget,
        profile: Profile,
        *,
        password_changes: bool,
        on_warning: Callable[[str], object] | None,
    ) -> None:
        self.bags: list[Asn1Value | PlainSecret] = []
        self.keys: list[Asn1Value | PlainKey] = []
        self._opener = opener
        self._budget = budget
        self._profile = profile
        self._password_changes = password_changes
        self._warn = on_warning or (lambda _: None)
        self._left_closed: list[tuple[Entry, PfxError]] = []

    def copy(self, entries: Iterable[Entry]) -> None:
        """Copy all entries, in file order.

        Raises :class:`~pkcs12kit.errors.PfxPasswordError` or :class:`~pkcs12kit.errors.UnsupportedPfxError` if an entry
        would stay encrypted as it is although the password changes, :class:`~pkcs12kit.errors.InputError` if the
        profile would not encrypt an entry, and :class:`~pkcs12kit.errors.LimitExceededError`.
        """
        sealed = [(entry, read_sealed_secret(entry.bag, self._budget)) for entry in entries]
        derivations = (secret.encryption.derivation for _, secret in sealed if secret is not None)
        foresee((derivation for derivation in derivations if derivation is not None), self._budget)
        for entry, secret in sealed:
            if NESTED_ATTRIBUTES in entry.bag.notes:
                self._warn(f"{entry.label}: {ATTRIBUTES_LEFT_OUT}")
            if may_be_encrypted(entry.bag.attribute_field):
                self._leave_closed(entry, UnsupportedPfxError("its attributes may hold encrypted contents"))
            if entry.bag.is_key:
                self._copy_key(entry)
            elif secret is not None:
                self._copy_secret(entry, secret)
            else:
                self._copy_other(entry)
        if self._left_closed and self._password_changes:
            raise self._refusal()

    def _copy_key(self, entry: Entry) -> None:
        if entry.private_key_info is None:
            self._keep_key(entry, entry.error or UnsupportedPfxError("its private key is not read"))
            return
        if entry.error is not None and may_be_encrypted(entry.private_key_info):
            self._keep_key(entry, UnsupportedPfxError("its private key is encrypted once more"))
            return
        is_encrypted = self._profile.key_encryption is not None
        if entry.error is not None and is_encrypted and not is_one_sequence(entry.private_key_info):
            raise MalformedPfxError(
                f"{entry.label}: {entry.error}; encrypted, its octets would look as if the password were wrong, so the"
                " new file would not open"
            )
        if entry.error is not None:
            self._warn(f"{entry.label}: {entry.error}; its octets are kept, under the new protection")
        info = entry.private_key_info
        if entry.private_key is not None:
            info = portable_key_info(info, entry.private_key)
        self.keys.append(
            PlainKey(
                private_key_info=info,
                friendly_name=None,
                local_key_id=None,
                attribute_field=entry.bag.attribute_field,
            )
        )

    def _keep_key(self, entry: Entry, why: PfxError) -> None:
        """Copy the bag of a private key as it is: beside the other keys only if a password encrypts it on its own."""
        self._leave_closed(entry, why)
        if _is_by_password(entry.bag.encryption):
            self.keys.append(_as_it_is(entry.bag))
            return
        self._require_protected(entry)
        self.bags.append(_as_it_is(entry.bag))

    def _copy_secret(self, entry: Entry, sealed: SealedSecret) -> None:
        if self._profile.key_encryption is None and self._password_changes:
            raise InputError(
                f"{entry.label}: its secret is encrypted on its own, and the profile {self._profile.name} has no"
                " encryption for it: choose another profile"
            )
        try:
            secret = self._opener.open_secret(sealed)
            if may_be_encrypted(secret) and not is_password_key(secret, self._budget):
                raise UnsupportedPfxError("its secret is encrypted once more")  # as below
        except PfxError as error:
            self._leave_closed(entry, error)
            if not _is_by_password(sealed.encryption):
                self._require_protected(entry)
            self.bags.append(_as_it_is(entry.bag))
            return
        if self._profile.key_encryption is None:
            self.bags.append(_as_it_is(entry.bag))
            return
        self.bags.append(
            PlainSecret(
                secret=secret,
                value_type=str(entry.bag.value_type),
                in_octets=sealed.in_octets,
                attribute_field=entry.bag.attribute_field,
            )
        )

    def _copy_other(self, entry: Entry) -> None:
        bag = entry.bag
        is_certificate = bag.is_certificate and bag.fault is None
        if not is_certificate and may_be_encrypted(bag.value, bag.value_type):
            self._leave_closed(entry, UnsupportedPfxError(f"its {bag.type} may hold encrypted contents"))
        if bag.type not in _PUBLIC:
            self._require_protected(entry)
        self.bags.append(_as_it_is(bag))

    def _require_protected(self, entry: Entry) -> None:
        if self._profile.certificate_encryption is None and self._profile.key_encryption is not None:
            raise InputError(
                f"{entry.label}: the PKCS#12 file holds a {entry.bag.type}, which would not be encrypted under the"
                f" profile {self._profile.name}: choose another profile"
            )

    def _leave_closed(self, entry: Entry, why: PfxError) -> None:
        """Note an entry that is copied as it is although it is or may be encrypted on its own."""
        self._left_closed.append((entry, why))
        if not self._password_changes:
            self._warn(f"{entry.label}: {why}; it is kept as it is, under the protection and the password that it has")

    def _refusal(self) -> PfxError:
        named = shortened(self._left_closed, _NAMED_AT_MOST, lambda closed: f"{closed[0].label} ({closed[1]})")
        entries = "an entry" if len(self._left_closed) == 1 else f"{len(self._left_closed):,} entries"
        is_password = any(isinstance(why, PfxPasswordError) for _, why in self._left_closed)
        cure = (
            "give its password as the password of the contents (--contents-password-file), or keep the password of the"
            " file"
            if is_password
            else "keep the password of the file, or take the entry out with the program that wrote it"
        )
        return (PfxPasswordError if is_password else UnsupportedPfxError)(
            f"the PKCS#12 file holds {entries} that would not get the new password: {'; '.join(named)}: {cure}"
        )


def _is_by_password(encryption: Encryption | None) -> bool:
    return encryption is not None and encryption.derivation is not None


def _as_it_is(bag: Bag) -> Asn1Value:
    return other_bag(bag.type, bag.value, attribute_field=bag.attribute_field)
