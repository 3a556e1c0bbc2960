"""What a server's files can have wrong with them, each with what comes of it, as ``faults.toml`` says."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from pkcs12kit.times import format_time

from .servers import OpenSSLFiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.lab import Replica

_FILE: Final = Path(__file__).with_name("faults.toml")
OTHER_NAME: Final = "www.example.mil"
# The certificates of the replica that the table speaks of, by serial number.
_SERIAL_NUMBERS: Final = {
    "issuing": 18,
    "root": 1,
    "cross": 748,
    "expired-cross": 907,
    "interoperability": 47633,
    "bridge": 16194,
    "anchor": 304,
    "unrelated-issuing": 905,
    "unrelated-root": 902,
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What comes of it: what is sent, which checks say no and why, and what to change, without and with a pool.

    The texts have places for what differs from replica to replica: ``{bridge.key}``, ``{bridge.until}``.
    """

    sends: tuple[str, ...]
    no: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    with_pool: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What a server is given, and what comes of it; ``ends`` is what it says where it does not start."""

    name: str
    given: tuple[str, ...]
    outcome: Outcome
    by_server: Mapping[str, Outcome]
    ends: Mapping[str, str]

    def of(self, server: str) -> Outcome:
        """What comes of it with one server."""
        return self.by_server.get(server, self.outcome)


class _Facts(NamedTuple):
    """What texts say of a certificate."""

    key: str
    until: str


@dataclass(frozen=True, kw_only=True)
class Material:
    """The certificates of the table, and the key of both servers' certificates."""

    replica: Replica
    certificates: Mapping[str, Certificate]

    @classmethod
    def of(cls, replica: Replica) -> Material:
        """Take what the table speaks of out of a replica, and issue what is missing there."""
        key = replica.server.private_key
        return cls(
            replica=replica,
            certificates={
                "server": replica.server.certificate,
                "other-server": replica.issue_server(OTHER_NAME, private_key=key, serial_number=1002).certificate,
                **{label: replica.certificate(number) for label, number in _SERIAL_NUMBERS.items()},
            },
        )

    def labels(self, certificates: Sequence[Certificate]) -> tuple[str, ...]:
        """Name certificates as the table does."""
        known = {certificate: label for label, certificate in self.certificates.items()}
        return tuple(known[certificate] for certificate in certificates)

    def fill(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Put what is true of this replica into the places of texts."""
        facts = {
            label: _Facts(key=(it.key_identifier or b"").hex(), until=format_time(it.not_after))
            for label, it in self.certificates.items()
        }
        return tuple(text.format_map(facts) for text in texts)

    def write_pem(self, given: Sequence[str], file: Path) -> Path:
        """Write key and certificates into one file, as Apache httpd and nginx take them."""
        file.write_text(self._key() + self._pem(given))
        return file

    def write_openssl(self, given: Sequence[str], folder: Path) -> OpenSSLFiles:
        """Write key, first certificate and the others into files of their own, as ``s_server`` takes them."""
        folder.mkdir()
        files = OpenSSLFiles(folder / "key.pem", folder / "first.pem", folder / "chain.pem" if given[1:] else None)
        files.key.write_text(self._key())
        files.certificate.write_text(self._pem(given[:1]))
        if files.chain is not None:
            files.chain.write_text(self._pem(given[1:]))
        return files

    def write_pkcs12(self, given: Sequence[str], file: Path, password: str) -> Path:
        """Write a PKCS#12 file: the certificate of the key, marked as that, and the others in their order.

        By pyca/cryptography, since :class:`~pkcs12kit.Bundle` takes no (subject, key) twice.
        """
        own, *others = sorted(given, key=lambda label: not label.endswith("server"))
        data = pkcs12.serialize_key_and_certificates(
            b"server",
            self.replica.server.private_key,
            self.certificates[own].as_cryptography,
            [self.certificates[label].as_cryptography for label in others],
            BestAvailableEncryption(password.encode()),
        )
        file.write_bytes(data)
        return file

    def _key(self) -> str:
        key = self.replica.server.private_key
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def _pem(self, given: Sequence[str]) -> str:
        return "".join(self.certificates[label].to_pem() for label in given)


def _load() -> Iterator[Fault]:
    for name, said in tomllib.loads(_FILE.read_text("utf-8")).items():
        given = tuple(said["given"])
        yield Fault(
            name=name,
            given=given,
            outcome=_outcome(said, given),
            by_server={server: _outcome(its, given) for server, its in said.get("by", {}).items()},
            ends=said.get("ends", {}),
        )


def _outcome(said: Mapping[str, Any], given: tuple[str, ...]) -> Outcome:
    changes = tuple(said.get("changes", ()))
    return Outcome(
        sends=tuple(said.get("sends", given)),
        no=said.get("no", {}),
        changes=changes,
        with_pool=tuple(said.get("with_pool", changes)),
    )


FAULTS: Final = tuple(_load())
