"""From a server's key and certificate, through cross-certificates to a trust anchor, to a PKCS#12 file.

The public names are in ``__init__.pyi``; each is loaded from its module when it is first used.
"""

import lazy_loader

from pkcs12kit import notebook_hook


def _draw(value: object) -> dict[str, str]:
    """Return the pictures of a value for a notebook, by media type."""
    from pkcs12kit.notebook.show import show

    return show(value)


notebook_hook.let_draw(_draw)

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """Return a public name, or the version of the installed package. Raises :class:`AttributeError`."""
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    return _load(name)
