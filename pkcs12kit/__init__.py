"""From a server's key and certificate, through cross-certificates to a trust anchor, to a PKCS#12 file.

The public names are in ``__init__.pyi``; each is loaded from its module when first used.
"""

import lazy_loader

from pkcs12kit import notebook_hook


def _draw(value: object) -> dict[str, str]:
    """Draw a value for a notebook, by the room that does it."""
    from pkcs12kit.notebook.show import show

    return show(value)


notebook_hook.let_draw(_draw)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
