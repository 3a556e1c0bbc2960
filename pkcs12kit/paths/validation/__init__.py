"""Certification path validation: RFC 5280 section 6.1, with the policy graph of RFC 9618."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["algorithms"])
