"""Bundles of CA certificates that agencies publish: DISA's and the Federal PKI's, or any other by its URL."""

from pkcs12kit.retrieval.bundles.checksums import ChecksumStatus, ChecksumVerdict
from pkcs12kit.retrieval.bundles.fetch import fetch_bundle
from pkcs12kit.retrieval.bundles.published import PublishedBundle, load_bundles
from pkcs12kit.retrieval.bundles.report import BundleChanges, BundleReport

__all__ = [
    "BundleChanges",
    "BundleReport",
    "ChecksumStatus",
    "ChecksumVerdict",
    "PublishedBundle",
    "fetch_bundle",
    "load_bundles",
]
