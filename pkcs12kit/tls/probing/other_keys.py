"""Other certificates of a server: handshakes that leave out the types of keys that it has shown, until it has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.tls.probing.answers import ProtocolAnswer
from pkcs12kit.tls.probing.contact import Contact, ContactError
from pkcs12kit.tls.probing.offers import families, is_known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pkcs12kit.tls.probing.key_types import ServerKeyType
    from pkcs12kit.tls.probing.offers import Family, Offer

_SCHEMES_OF_ALL: Final = ("rsa_pss_rsae_sha256", "ecdsa_secp256r1_sha256")  # of every OpenSSL with TLS 1.3
_SILENT: Final = frozenset({Contact.TIMED_OUT, Contact.UNREADABLE})
"""Results that do not show whether the server has such a key."""


class OtherKeys(NamedTuple):
    """The results of the handshakes for other types of keys, and why not all types were asked for."""

    answers: tuple[ProtocolAnswer, ...]
    stopped: str
    """Empty where all were asked for."""


NO_OTHER_KEYS: Final = OtherKeys((), "")


def ask_for_other_keys(
    answers: Sequence[ProtocolAnswer], ask: Callable[[Offer], ProtocolAnswer], connections: int
) -> OtherKeys:
    """Ask for the certificates of other types of keys in each current version that answered, and return the results.

    - ``answers``: the results of the handshakes that asked for all types of keys.
    - ``ask``: makes one handshake.
    - ``connections``: the largest number of connections, those of ``answers`` included.

    Each handshake asks for all types that are left, so a server with one certificate is asked once for each family of
    types. The first handshake that shows nothing new ends its family. Whatever goes wrong is part of the result.
    """
    if not is_known(_SCHEMES_OF_ALL):
        return OtherKeys((), "the OpenSSL of cryptography does not let a client choose signature schemes")
    found: list[ProtocolAnswer] = []
    reasons: list[str] = []
    for first in answers:
        if first.message is None or first.is_old:
            continue
        seen = {first.key_type}
        for family in families(first.protocol):
            try:
                for answer in _of_family(family, seen, ask, connections - len(answers) - len(found)):
                    found.append(answer)
                    if answer.contact in _SILENT:
                        reasons.append(f"{answer.protocol}: {answer.why}")
            except ContactError as error:  # before TLS: it may keep out those who come too often
                found.append(ProtocolAnswer(protocol=first.protocol, contact=error.contact, why=str(error)))
                return OtherKeys(tuple(found), str(error))
            except _NoneLeftError:
                return OtherKeys(tuple(found), f"probe_connections allows {connections} connections to one server")
    return OtherKeys(tuple(found), "; ".join(dict.fromkeys(reasons)))


class _NoneLeftError(Exception):
    """No connection is left."""


def _of_family(
    family: Family, seen: set[ServerKeyType | None], ask: Callable[[Offer], ProtocolAnswer], connections: int
) -> Iterator[ProtocolAnswer]:
    """Yield the results for one family, and add the types of keys that come to ``seen``."""
    while (offer := family.without(frozenset(one for one in seen if one is not None))) is not None:
        if connections <= 0:
            raise _NoneLeftError
        connections -= 1
        answer = ask(offer)
        yield answer
        if answer.key_type is None or answer.key_type in seen:
            return
        seen.add(answer.key_type)
