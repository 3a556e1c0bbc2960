"""The values that :func:`~pkcs12kit.probe`, :func:`~pkcs12kit.rehearse` and the check of a served chain return."""

from pkcs12kit.devices.judge import DeviceVerdict
from pkcs12kit.tls.certificate_message import CertificateMessage
from pkcs12kit.tls.handshake import Handshake, Verdict
from pkcs12kit.tls.probing.answers import ProtocolAnswer, ServerAnswer
from pkcs12kit.tls.probing.contact import Contact
from pkcs12kit.tls.probing.key_types import ServerKeyType
from pkcs12kit.tls.probing.target import ProbedServer
from pkcs12kit.verifier.expectation import ExpectedFile, FileComparison, ServedAs
from pkcs12kit.verifier.probed_chains import ProbedChain, ServedIn
from pkcs12kit.verifier.reports import ServedChainReport
from pkcs12kit.verifier.server_reports import ProbeReport, RehearsalReport

__all__ = [
    "CertificateMessage",
    "Contact",
    "DeviceVerdict",
    "ExpectedFile",
    "FileComparison",
    "Handshake",
    "ProbeReport",
    "ProbedChain",
    "ProbedServer",
    "ProtocolAnswer",
    "RehearsalReport",
    "ServedAs",
    "ServedChainReport",
    "ServedIn",
    "ServerAnswer",
    "ServerKeyType",
    "Verdict",
]
