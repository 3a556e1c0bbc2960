"""The answer of a rehearsal: the strict reading, each client's handshakes, and what is known of devices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pkcs12kit.pkcs12.capabilities import Answer
from pkcs12kit.shown import Shown
from pkcs12kit.tls.handshake import Verdict

if TYPE_CHECKING:
    from pkcs12kit.tls.handshake import Handshake
    from pkcs12kit.tls.judging import DeviceVerdict
    from pkcs12kit.verifier.sent_report import SentReport


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalReport(Shown):
    """What clients that trust certain anchors make of a server with a PKCS#12 file; true where nothing says no.

    That is where the strict reading says yes, every client in ``required`` accepts in TLS 1.2 and in TLS 1.3, and no
    device that was named says no. Where no client was named, ``handshakes`` has those of all others too, whose refusal
    is told and is no reason to say no: which of them are there depends on the computer. ``server_name`` is what the
    clients asked for; ``server_name_given`` says whether the caller named it, or the certificate did. Neither key nor
    password is in it.
    """

    sent: SentReport
    server_name: str
    server_name_given: bool
    handshakes: tuple[Handshake, ...]
    required: frozenset[str]
    devices: tuple[DeviceVerdict, ...] = field(default=())
    warnings: tuple[str, ...] = ()
    """That the file may have been changed by anybody, where it has no MAC, or one made without a password."""

    @property
    def ok(self) -> bool:
        """Whether the answer is yes."""
        return self.sent.ok and not self.problems

    def __bool__(self) -> bool:
        return self.ok

    @property
    def problems(self) -> tuple[str, ...]:
        """What makes the answer a no, one sentence each, quoting names and clients."""
        asked = {handshake.client for handshake in self.handshakes}
        return (
            *map(str, self.sent.problems),
            *(f"{name}: no handshake came of it" for name in sorted(self.required - asked)),
            *(_sentence(one) for one in self.handshakes if one.client in self.required and self._is_problem(one)),
            *(
                f"{one.device}, {one.basis}: {'; '.join(remark.why for remark in one.refusals)}"
                for one in self.devices
                if one.answer is Answer.NO
            ),
        )

    @property
    def refused_by(self) -> tuple[str, ...]:
        """The clients and devices that make the answer a no, by name."""
        clients = (one.client for one in self.handshakes if one.client in self.required and self._is_problem(one))
        devices = (one.device for one in self.devices if one.answer is Answer.NO)
        return tuple(dict.fromkeys((*clients, *devices)))

    @property
    def not_tried(self) -> tuple[str, ...]:
        """Those of them that could not be asked, and that refused in neither version of TLS."""
        verdicts: dict[str, set[Verdict]] = {}
        for one in self.handshakes:
            if one.client in self.required:
                verdicts.setdefault(one.client, set()).add(one.verdict)
        return tuple(
            client for client, found in verdicts.items() if Verdict.NOT_TRIED in found and Verdict.REFUSED not in found
        )

    def _is_problem(self, handshake: Handshake) -> bool:
        return handshake.verdict is not Verdict.ACCEPTED or self.as_served(handshake) is False

    def as_served(self, handshake: Handshake) -> bool | None:
        """Whether a client received just what was served, in that order; None where it does not say."""
        if handshake.received is None:
            return None
        return handshake.received.certificates == self.sent.message.certificates

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``: ``sent`` is what :meth:`SentReport.to_json` gives."""
        return {
            "ok": self.ok,
            "server_name": self.server_name,
            "server_name_given": self.server_name_given,
            "problems": list(self.problems),
            "sent": self.sent.to_json(),
            "handshakes": [
                handshake.to_json()
                | {"required": handshake.client in self.required, "as_served": self.as_served(handshake)}
                for handshake in self.handshakes
            ],
            "devices": [verdict.to_json() for verdict in self.devices],
            "warnings": list(self.warnings),
        }


def _sentence(handshake: Handshake) -> str:
    why = handshake.why or "it received other certificates than were served"
    return f"{handshake.client}, {handshake.protocol}: {handshake.verdict.value}: {why}"
