"""From a server's key and certificate, through cross-certificates to a trust anchor, to a PKCS#12 file.

The public names are in ``__init__.pyi``; each is loaded from its module when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
