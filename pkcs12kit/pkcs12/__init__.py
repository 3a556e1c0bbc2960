"""PKCS#12 files (PFX, RFC 7292): their contents and protection, and how to write, read and inspect them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["profiles", "readers"])
