"""The entries of a PFX, each with its place, and what is said about those that are odd or not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import PfxError, UnsupportedPfxError
from pkcs12kit.pkcs12.object_identifiers import named
from pkcs12kit.pkcs12.private_keys import is_version_2
from pkcs12kit.text import counted, quoted_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.structure import Bag

_NAME_LENGTH: Final = 40
_SDSI: Final = "1.2.840.113549.1.9.22.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadKey:
    """A private key of a PFX that is not read.

    ``place`` is its bag (``bag 2 of SafeContents 1``), and ``reason`` why it is not read, as a sentence. ``algorithm``
    is the name of its algorithm with the object identifier, or only that; None if the key was not decrypted, or is
    too damaged to tell. ``error`` is the class of error that is raised where this key is needed.
    """

    place: str
    friendly_name: str | None
    local_key_id: bytes | None
    algorithm: str | None
    reason: str
    error: type[PfxError] = field(default=UnsupportedPfxError, repr=False)

    def to_json(self) -> dict[str, object]:
        """Return the key for ``inspect --json``."""
        return {
            "place": self.place,
            "friendly_name": self.friendly_name,
            "local_key_id": None if self.local_key_id is None else self.local_key_id.hex(),
            "algorithm": self.algorithm,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One bag with its place, the number of its SafeContents in the file and its own in that; and its key, if read.

    ``private_key_info`` is the decrypted octets of a private key, also where ``private_key`` is None because they are
    not read; ``error`` is then the reason.
    """

    bag: Bag
    safe: int
    number: int
    private_key_info: bytes | None = field(default=None, repr=False)
    private_key: PrivateKeyTypes | None = field(default=None, repr=False)
    error: PfxError | None = None

    @property
    def place(self) -> str:
        """The place of the bag in the file."""
        return f"bag {self.number} of SafeContents {self.safe}"

    @property
    def label(self) -> str:
        """The place, with the friendly name in quotation marks if there is one."""
        name = self.bag.friendly_name
        return self.place if name is None else f"{self.place}, {quoted_name(name, longest=_NAME_LENGTH)}"

    @property
    def unread_key(self) -> UnreadKey | None:
        """The key if it is a private key that is not read; else None."""
        if self.error is None:
            return None
        return UnreadKey(
            place=self.place,
            friendly_name=self.bag.friendly_name,
            local_key_id=self.bag.local_key_id,
            algorithm=None if self.private_key_info is None else key_algorithm(self.private_key_info),
            reason=str(self.error),
            error=type(self.error),
        )


def list_entries(safes: Iterable[Sequence[Bag] | None]) -> tuple[Entry, ...]:
    """Return the bags of the SafeContents that were opened, in file order; None stands for one that was not."""
    return tuple(
        Entry(bag=bag, safe=safe, number=number)
        for safe, bags in enumerate(safes, start=1)
        for number, bag in enumerate(bags or (), start=1)
    )


def unread_keys(entries: Iterable[Entry]) -> tuple[UnreadKey, ...]:
    """Return the private keys that are not read."""
    return tuple(key for key in (entry.unread_key for entry in entries) if key is not None)


def describe_entries(entries: Iterable[Entry], rejects: Iterable[Reject], limits: Limits) -> tuple[str, ...]:
    """Return a sentence for all that is odd or not read, each with the place; at most ``limits.pfx_notes``."""
    by_position = {reject.position: reject.reason for reject in rejects}
    notes: list[str] = []
    left_out = position = 0
    for entry in entries:
        position += entry.bag.is_certificate
        reason = by_position.get(position) if entry.bag.is_certificate else None
        for sentence in _sentences(entry, reason):
            if len(notes) < limits.pfx_notes:
                notes.append(f"{entry.label}: {sentence}")
            else:
                left_out += 1
    if left_out:
        notes.append(f"{counted(left_out, 'more note')} (limits.pfx_notes is {limits.pfx_notes:,})")
    return tuple(notes)


def key_algorithm(private_key_info: bytes) -> str | None:
    """Return the name and the object identifier of the algorithm of a PKCS#8 key, DER; None if it cannot be read."""
    from asn1crypto import core

    try:
        dotted = str(core.Sequence.load(private_key_info)[1][0].dotted)
    except (ValueError, TypeError, LookupError, AttributeError):
        return None
    return named(dotted) if dotted else None


def _sentences(entry: Entry, reason: str | None) -> Iterator[str]:
    bag = entry.bag
    key = entry.unread_key
    if key is not None:
        yield f"its private key is not read: {key.reason}"
    elif reason is not None:
        yield f"its certificate cannot be read: {reason}"
    elif bag.fault is not None:
        yield f"the {bag.type} is not read: {bag.fault}"
    elif bag.type == "certBag" and not bag.is_certificate:
        sdsi = " (an SDSI certificate)" if bag.value_type == _SDSI else ""
        yield f"its certificate is not an X.509 certificate, but of the type {bag.value_type}{sdsi}, and is not read"
    elif not bag.is_known:
        yield f"it is of the type {bag.type}, which is not known, and is not read"
    if entry.private_key is not None and is_version_2(entry.private_key_info or b""):
        yield "its private key is in PKCS#8 version 2, which OpenSSL 3.0 does not read; convert writes version 1"
    yield from bag.notes
