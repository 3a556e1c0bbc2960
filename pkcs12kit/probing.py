"""The values that :func:`~pkcs12kit.probe`, :func:`~pkcs12kit.rehearse` and the check of a served chain return."""

from pkcs12kit.devices.judge import DeviceVerdict
from pkcs12kit.tls.certificate_message import CertificateMessage
from pkcs12kit.tls.handshake import Handshake, Verdict
from pkcs12kit.tls.probing.contact import Contact
from pkcs12kit.tls.probing.server import ProtocolAnswer, ServerAnswer
from pkcs12kit.verifier.reports import ProbedServer, ProbeReport, RehearsalReport, SentReport

__all__ = [
    "CertificateMessage",
    "Contact",
    "DeviceVerdict",
    "Handshake",
    "ProbeReport",
    "ProbedServer",
    "ProtocolAnswer",
    "RehearsalReport",
    "SentReport",
    "ServerAnswer",
    "Verdict",
]
