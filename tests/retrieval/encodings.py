"""Bundles of certificates as publishers encode them, and pyca does not."""

from __future__ import annotations

from ..sources.conftest import make_ber_pkcs7


def ber(certificates):
    """Bundle certificates with indefinite lengths (X.690 section 8.1.3.6), as DISA does."""
    return make_ber_pkcs7([each.der for each in certificates])
