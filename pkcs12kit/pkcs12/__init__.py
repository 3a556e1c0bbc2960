"""PKCS#12 files (PFX): what goes in, how it is protected, written, read and taken apart (RFC 7292)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["profiles", "readers"])
