"""The chains that a live server sends, each with the handshakes that led to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.devices.judge import DeviceVerdict
    from pkcs12kit.tls.probing.answers import ServerAnswer
    from pkcs12kit.tls.probing.key_types import ServerKeyType
    from pkcs12kit.verifier.reports import ServedChainReport


class ServedIn(NamedTuple):
    """A handshake in which a chain was served: the version of TLS, and the type of the certificate's key."""

    protocol: str
    key_type: ServerKeyType

    def to_json(self) -> dict[str, str]:
        """Return the handshake as ``--json`` prints it."""
        return {"protocol": self.protocol, "key_type": self.key_type.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedChain:
    """One of the chains that a live server sends, with the handshakes that led to it."""

    handshakes: tuple[ServedIn, ...]
    """The handshakes, in the order in which they were made, each once."""
    report: ServedChainReport
    """The report on the chain."""
    devices: tuple[DeviceVerdict, ...] = ()
    """The verdicts on devices, by rule."""

    def __str__(self) -> str:
        return handshakes_label(self.handshakes)

    def to_json(self) -> dict[str, Any]:
        """Return the chain as ``--json`` prints it; ``sent`` is that of :meth:`ServedChainReport.to_json`."""
        return {
            "handshakes": [one.to_json() for one in self.handshakes],
            "sent": self.report.to_json(),
            "devices": [verdict.to_json() for verdict in self.devices],
        }


def handshakes_label(handshakes: Iterable[ServedIn]) -> str:
    """Return handshakes as text: ``RSA in TLSv1.3 and TLSv1.2``."""
    versions: dict[str, list[str]] = {}
    for protocol, key_type in handshakes:
        versions.setdefault(key_type.value, []).append(protocol)
    return "; ".join(f"{key_type} in {' and '.join(names)}" for key_type, names in versions.items())


def served_in(answer: ServerAnswer, certificates: tuple[Certificate, ...]) -> tuple[ServedIn, ...]:
    """Return the handshakes in which a server sent these certificates, each version and type of key once."""
    found = (one for one in answer.all_answers if one.message and one.message.certificates == certificates)
    return tuple(dict.fromkeys(ServedIn(one.protocol, one.key_type) for one in found if one.key_type is not None))
