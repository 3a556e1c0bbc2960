# The public names, and the module that each comes from; lazy_loader reads this file when pkcs12kit is imported.

from . import lab
from .builder import BuildReport, build
from .certificates.certificate import Certificate
from .certificates.identity import Identity
from .certificates.names import Name
from .certificates.path import CertificationPath
from .certificates.pool import CertificatePool, Reject
from .certificates.trust_anchor import TrustAnchor
from .devices.judge import DeviceVerdict
from .display import pictures
from .errors import (
    ArgumentError,
    FailureReason,
    InputError,
    KeyMismatchError,
    LimitExceededError,
    MalformedCertificateError,
    MalformedPfxError,
    OutputError,
    PasswordError,
    PathError,
    PfxError,
    PfxPasswordError,
    Pkcs12KitError,
    UnknownNameError,
    UnsupportedPfxError,
)
from .files import write_pfx
from .findings import Check, Finding, Outcome, ProbeCheck, SentCheck
from .limits import DEFAULT_LIMITS, Limits
from .notebook.show import to_html
from .paths.confirmation import Confirmation, ConfirmationError, Opinion, confirm
from .paths.failure import Failure
from .paths.ranking import Ranking, longest_lasting, shortest, why_before
from .paths.report import NoValidPathError, PathReport, RejectedPath
from .paths.revocation import CertificateStatus, Revocation, RevocationMode, RevocationReport, RevocationStatus
from .paths.search import find_path, find_paths
from .paths.validation import algorithms
from .paths.validation.algorithms import AlgorithmPolicy
from .paths.validation.parameters import ValidationParameters
from .paths.validation.verdict import ValidatedPath
from .pkcs12 import profiles, readers
from .pkcs12.bundle import Bundle
from .pkcs12.conversion import convert_pfx, encode_pem
from .pkcs12.decoder import DecodedPfx, decode_pfx
from .pkcs12.encoder import encode_pfx
from .pkcs12.inspection import PfxReport, inspect_pfx
from .pkcs12.profiles import Profile
from .retrieval.bundles.checksums import ChecksumStatus, ChecksumVerdict
from .retrieval.bundles.fetch import fetch_bundle
from .retrieval.bundles.published import PublishedBundle, load_bundles
from .retrieval.bundles.report import BundleChanges, BundleReport
from .retrieval.find_path import FetchedPath, find_path_fetching
from .retrieval.gather import FetchOptions, GatherReport, gather
from .sources.crls_and_ocsp import load_crls, load_ocsp_responses
from .sources.loading import (
    load_certificate,
    load_certificates,
    load_identity,
    load_trust_anchors,
)
from .tls.certificate_message import CertificateMessage
from .tls.handshake import Handshake, Verdict
from .tls.probing.contact import Contact
from .tls.probing.server import ProtocolAnswer, ServerAnswer
from .verifier.probe import probe
from .verifier.rehearse import rehearse
from .verifier.reports import ProbedServer, ProbeReport, RehearsalReport, SentReport, VerificationReport
from .verifier.sent import judge_sent
from .verifier.verify import verify

__all__ = [
    "DEFAULT_LIMITS",
    "AlgorithmPolicy",
    "ArgumentError",
    "BuildReport",
    "Bundle",
    "BundleChanges",
    "BundleReport",
    "Certificate",
    "CertificateMessage",
    "CertificatePool",
    "CertificateStatus",
    "CertificationPath",
    "Check",
    "ChecksumStatus",
    "ChecksumVerdict",
    "Confirmation",
    "ConfirmationError",
    "Contact",
    "DecodedPfx",
    "DeviceVerdict",
    "Failure",
    "FailureReason",
    "FetchOptions",
    "FetchedPath",
    "Finding",
    "GatherReport",
    "Handshake",
    "Identity",
    "InputError",
    "KeyMismatchError",
    "LimitExceededError",
    "Limits",
    "MalformedCertificateError",
    "MalformedPfxError",
    "Name",
    "NoValidPathError",
    "Opinion",
    "Outcome",
    "OutputError",
    "PasswordError",
    "PathError",
    "PathReport",
    "PfxError",
    "PfxPasswordError",
    "PfxReport",
    "Pkcs12KitError",
    "ProbeCheck",
    "ProbeReport",
    "ProbedServer",
    "Profile",
    "ProtocolAnswer",
    "PublishedBundle",
    "Ranking",
    "RehearsalReport",
    "Reject",
    "RejectedPath",
    "Revocation",
    "RevocationMode",
    "RevocationReport",
    "RevocationStatus",
    "SentCheck",
    "SentReport",
    "ServerAnswer",
    "TrustAnchor",
    "UnknownNameError",
    "UnsupportedPfxError",
    "ValidatedPath",
    "ValidationParameters",
    "Verdict",
    "VerificationReport",
    "algorithms",
    "build",
    "confirm",
    "convert_pfx",
    "decode_pfx",
    "encode_pem",
    "encode_pfx",
    "fetch_bundle",
    "find_path",
    "find_path_fetching",
    "find_paths",
    "gather",
    "inspect_pfx",
    "judge_sent",
    "lab",
    "load_bundles",
    "load_certificate",
    "load_certificates",
    "load_crls",
    "load_identity",
    "load_ocsp_responses",
    "load_trust_anchors",
    "longest_lasting",
    "pictures",
    "probe",
    "profiles",
    "readers",
    "rehearse",
    "shortest",
    "to_html",
    "verify",
    "why_before",
    "write_pfx",
]
