"""The ways in which an OCSP response can be unusual, each with its effect by RFC 6960."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .. import der
from ..x509_values import ANY_PURPOSE, OCSP_SIGNING, REASONS, SERVER_AUTH
from .crl_peculiarities import Effect
from .crl_scopes import Point, Scope
from .objects import (
    DAY,
    DIGESTS,
    ECDSA_SHA384,
    HOUR,
    NO_CHECK,
    UNKNOWN,
    Certificate,
    Crl,
    Entry,
    Response,
    Single,
    extension,
    key,
    name,
    purposes,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .worlds import Level

DELEGATE: Final = name("Responder")
_DELEGATE_SERIAL: Final = 7300
_CRITICAL = extension(UNKNOWN, der.NULL, critical=True)
_NOT_CRITICAL = extension(UNKNOWN, der.NULL)
_NONCE = extension("1.3.6.1.5.5.7.48.1.2", der.octets(bytes(16)))
_CRITICAL_NONCE = extension("1.3.6.1.5.5.7.48.1.2", der.octets(bytes(16)), critical=True)
_EXTENDED_REVOKE = extension("1.3.6.1.5.5.7.48.1.9", der.NULL)
_CRITICAL_EXTENDED_REVOKE = extension("1.3.6.1.5.5.7.48.1.9", der.NULL, critical=True)
_ARCHIVE_CUTOFF = extension("1.3.6.1.5.5.7.48.1.6", der.tlv(0x18, b"20240101000000Z"))
_CRITICAL_ARCHIVE_CUTOFF = extension("1.3.6.1.5.5.7.48.1.6", der.tlv(0x18, b"20240101000000Z"), critical=True)
_CRL_REFERENCES = extension(
    "1.3.6.1.5.5.7.48.1.3", der.sequence(der.explicit(0, der.tlv(0x16, b"http://crl.invalid/a.crl"))), critical=True
)


def by_name(responder: bytes) -> bytes:
    """Return a ResponderID."""
    return der.explicit(1, responder)


def by_key(label: str) -> bytes:
    """Return a ResponderID."""
    return der.explicit(2, der.octets(key(label).identifier))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The server's certificate, its CA, and the response about it so far."""

    level: Level
    """Of the server."""
    ca: bytes
    """The certificate of its issuer, DER."""
    now: datetime
    response: Response
    crls: tuple[Crl, ...] = ()
    """About the delegate."""

    @property
    def single(self) -> Single:
        """The answer about the server; peculiarities change this one."""
        return self.response.singles[0]

    def with_response(self, **changes: object) -> Question:
        """Return the question with another response."""
        return dataclasses.replace(self, response=dataclasses.replace(self.response, **changes))

    def with_single(self, **changes: object) -> Question:
        """Return the question with another answer about the server."""
        changed = dataclasses.replace(self.single, **changes)
        return self.with_response(singles=(changed, *self.response.singles[1:]))


def ask(level: Level, ca: bytes, now: datetime) -> Question:
    """Return the question with a sound response: good, by the CA itself."""
    single = Single(issuer=level.issuer, issuer_key=level.issuer_key, serial=level.serial)
    response = Response(signer=level.issuer_key, responder=by_name(level.issuer), singles=(single,))
    return Question(level=level, ca=ca, now=now, response=response)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peculiarity:
    """Something unusual, and its effect. Two of one group do not go together."""

    name: str
    group: str
    effect: Effect
    change: Callable[[Question], Question]


def _many(group: str, effect: Effect, **changes: Callable[[Question], Question]) -> list[Peculiarity]:
    return [
        Peculiarity(name=f"ocsp-{label.replace('_', '-')}", group=group, effect=effect, change=change)
        for label, change in changes.items()
    ]


def _single(**changes: object) -> Callable[[Question], Question]:
    return lambda question: question.with_single(**changes)


def _response(**changes: object) -> Callable[[Question], Question]:
    return lambda question: question.with_response(**changes)


def _beside(*, first: bool, **changes: object) -> Callable[[Question], Question]:
    """Put a second SingleResponse before or after that about the server."""

    def change(question: Question) -> Question:
        second = dataclasses.replace(question.single, **changes)
        singles = (second, *question.response.singles) if first else (*question.response.singles, second)
        return question.with_response(singles=singles)

    return change


def _certificate_of(question: Question, **changes: object) -> bytes:
    """Return a delegate's certificate, DER; sound unless changed."""
    details = {
        "subject": DELEGATE,
        "issuer": question.level.issuer,
        "key": "delegate",
        "signer": question.level.issuer_key,
        "serial": _DELEGATE_SERIAL,
        "usages": ("digitalSignature",),
        "extensions": (purposes(OCSP_SIGNING), NO_CHECK),
    }
    return Certificate(**(details | changes)).encode(question.now)


def _delegate(
    *, responder: bytes | None = None, issued_by: str | None = None, **changes: object
) -> Callable[[Question], Question]:
    """Have a delegate sign the response."""
    if issued_by is not None:
        changes["signer"] = issued_by

    def change(question: Question) -> Question:
        return question.with_response(
            signer="delegate",
            responder=responder or by_name(DELEGATE),
            certificates=(_certificate_of(question, **changes),),
        )

    return change


def _delegate_on_crl(*, is_listed: bool) -> Callable[[Question], Question]:
    """Have a delegate sign whose own status is on a CRL, which does not cover the server: it is for another place."""
    place, of_delegate = Point(names=("b",)), Scope(names=("b",))

    def change(question: Question) -> Question:
        issuer = question.level.issuer
        points = extension("2.5.29.31", der.sequence(place.encode(issuer, issuer)))
        crl = Crl(
            issuer=issuer,
            signer=question.level.issuer_key,
            extensions=(of_delegate.encode(issuer),),
            entries=(Entry(serial=_DELEGATE_SERIAL),) if is_listed else (),
        )
        changed = _delegate(extensions=(purposes(OCSP_SIGNING), points))(question)
        return dataclasses.replace(changed, crls=(crl,))

    return change


def _copy_of_ca(question: Question) -> Question:
    """Have a stranger sign, with a copy of the CA's certificate that holds the stranger's key."""
    copy = Certificate(
        subject=question.level.issuer,
        issuer=name("Anchor"),
        key="look-alike",
        signer="issuer 0",
        serial=question.level.serial - 1,
        ca=True,
        signature_of=question.ca,
    )
    return question.with_response(signer="look-alike", certificates=(copy.encode(question.now),))


def _copy_of_delegate(question: Question) -> Question:
    """Have a stranger sign, with a copy of a delegate's certificate that holds the stranger's key."""
    sound = _certificate_of(question)
    copy = _certificate_of(question, key="look-alike", signature_of=sound)
    return question.with_response(signer="look-alike", responder=by_name(DELEGATE), certificates=(copy,))


STATUSES: Final = [
    Peculiarity(name="ocsp-good", group="status", effect=Effect.NONE, change=lambda question: question),
    *_many(
        "status",
        Effect.REVOKES,
        revoked=_single(status="revoked"),
        **{
            f"revoked_{reason}": _single(status="revoked", reason=reason)
            for reason in (None, *REASONS)
            if reason not in {"removeFromCRL", "keyCompromise"}
        },
        revoked_in_1970=lambda question: question.with_single(
            status="revoked",
            reason="certificateHold",
            revoked=-(question.now - question.now.replace(year=1970, month=1, day=1, hour=0, minute=0, second=0)),
        ).with_response(extensions=(_EXTENDED_REVOKE,)),
    ),
    *_many("status", Effect.NONE, revoked_tomorrow=_single(status="revoked", revoked=DAY)),
    *_many("status", Effect.SPOILS, unknown=_single(status="unknown")),
]
_SIGNERS_TRUSTED: Final = _many(
    "signer",
    Effect.NONE,
    by_key_hash=lambda question: question.with_response(responder=by_key(question.level.issuer_key)),
    with_ca=lambda question: question.with_response(certificates=(question.ca,)),
    delegate=_delegate(),
    delegate_by_key_hash=_delegate(responder=by_key("delegate")),
    delegate_without_usage=_delegate(usages=None),
    delegate_nonrepudiation=_delegate(usages=("nonRepudiation",)),
    delegate_critical_purpose=_delegate(extensions=(purposes(OCSP_SIGNING, critical=True), NO_CHECK)),
    delegate_good_by_crl=_delegate_on_crl(is_listed=False),
    delegate_of_two_purposes=_delegate(extensions=(purposes(SERVER_AUTH, OCSP_SIGNING), NO_CHECK)),
)
_SIGNERS_REFUSED: Final = _many(
    "signer",
    Effect.SPOILS,
    by_a_stranger=lambda question: question.with_response(signer="stranger"),
    by_the_anchor=lambda question: question.with_response(signer="issuer 0", responder=by_name(name("Anchor"))),
    copy_of_ca=_copy_of_ca,
    copy_of_delegate=_copy_of_delegate,
    name_of_another=lambda question: question.with_response(responder=by_name(name("Somebody"))),
    key_hash_of_another=lambda question: question.with_response(responder=by_key("stranger")),
    delegate_without_purpose=_delegate(extensions=(NO_CHECK,)),
    delegate_of_any_purpose=_delegate(extensions=(purposes(ANY_PURPOSE), NO_CHECK)),
    delegate_of_another_purpose=_delegate(extensions=(purposes(SERVER_AUTH), NO_CHECK)),
    delegate_may_not_sign=_delegate(usages=("keyEncipherment",)),
    delegate_may_sign_crls_only=_delegate(usages=("cRLSign",)),
    delegate_revoked_by_crl=_delegate_on_crl(is_listed=True),
    delegate_expired=_delegate(end=-DAY),
    delegate_future=_delegate(begin=DAY),
    delegate_altered=_delegate(altered=True),
    delegate_critical_extension=_delegate(extensions=(purposes(OCSP_SIGNING), NO_CHECK, _CRITICAL)),
    delegate_not_checked=_delegate(extensions=(purposes(OCSP_SIGNING),)),
    delegate_of_the_anchor=_delegate(issuer=name("Anchor"), issued_by="issuer 0"),
    delegate_of_itself=_delegate(issuer=DELEGATE, issued_by="delegate"),
    delegate_of_a_namesake=_delegate(issued_by="stranger"),
    delegate_not_sent=lambda question: question.with_response(signer="delegate", responder=by_name(DELEGATE)),
)
OTHERS: Final = [
    *_SIGNERS_TRUSTED,
    *_SIGNERS_REFUSED,
    *_many(
        "time",
        Effect.SPOILS,
        expired=_single(begin=-9 * DAY, end=-DAY),
        future=_single(begin=DAY, end=9 * DAY),
        old_without_next_update=_single(begin=-300 * DAY, end=None),
        ends_before_it_begins=_single(begin=-HOUR, end=-2 * HOUR),
    ),
    *_many("time", Effect.NONE, ends_in_an_hour=_single(end=HOUR), without_next_update=_single(end=None)),
    *_many(
        "produced",
        Effect.NONE,
        produced_tomorrow=_response(produced=DAY),
        produced_long_ago=_response(produced=-20 * DAY),
    ),
    *_many(
        "response",
        Effect.SPOILS,
        try_later=_response(response_status=3),
        unauthorized=_response(response_status=6),
        another_type=_response(response_type=UNKNOWN),
        version_2=_response(version=2),
        critical_extension=_response(extensions=(_CRITICAL,)),
        altered=_response(altered=True),
        extension_twice=_response(extensions=(_NOT_CRITICAL, _NOT_CRITICAL)),
        another_algorithm=_response(outer=ECDSA_SHA384),
    ),
    *_many(
        "response",
        Effect.NONE,
        unknown_extension=_response(extensions=(_NOT_CRITICAL,)),
        nonce=_response(extensions=(_NONCE,)),
        critical_nonce=_response(extensions=(_CRITICAL_NONCE,)),
        critical_extended_revoke=_response(extensions=(_CRITICAL_EXTENDED_REVOKE,)),
    ),
    *_many(
        "single",
        Effect.SPOILS,
        single_critical_extension=_single(extensions=(_CRITICAL,)),
        of_another_serial=_single(serial=4711),
        of_another_ca_name=_single(issuer=name("CA 9")),
        of_another_ca_key=_single(issuer_key="stranger"),
    ),
    *_many(
        "single",
        Effect.NONE,
        single_unknown_extension=_single(extensions=(_NOT_CRITICAL,)),
        archive_cutoff=_single(extensions=(_ARCHIVE_CUTOFF,)),
        critical_archive_cutoff=_single(extensions=(_CRITICAL_ARCHIVE_CUTOFF,)),
        crl_references=_single(extensions=(_CRL_REFERENCES,)),
        sha1_without_null=_single(digest_null=False),
        **{digest: _single(digest=digest) for digest in DIGESTS if digest != "sha1"},
    ),
    *_many(
        "beside",
        Effect.NONE,
        another_before=_beside(first=True, serial=4711, status="revoked"),
        another_after=_beside(first=False, serial=4711, status="revoked"),
        an_old_one_before=_beside(first=True, begin=-9 * DAY, end=-8 * DAY, status="revoked"),
    ),
    *_many(
        "beside",
        Effect.REVOKES,
        revoked_after=_beside(first=False, status="revoked"),
        revoked_before=_beside(first=True, status="revoked"),
    ),
]
