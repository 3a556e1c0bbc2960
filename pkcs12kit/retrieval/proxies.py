"""Which proxy a URL is asked through: the one that the environment names."""

from __future__ import annotations

from typing import Final
from urllib.request import getproxies, proxy_bypass

from yarl import URL

from pkcs12kit.retrieval.unanswered import UnansweredError

_KINDS: Final = frozenset({"http", "https"})


class Proxies:
    """The proxies of ``http_proxy``, ``https_proxy`` and ``all_proxy``, but for the hosts in ``no_proxy``.

    Upper case will do as well, and on macOS and Windows the system's settings. A name and a password for the proxy
    come from its URL alone: ``~/.netrc``, which aiohttp would read, is not looked at.
    """

    def __init__(self) -> None:
        self._proxies = getproxies()

    def of(self, url: URL) -> URL | None:
        """Give the proxy for a URL, None for none; raises :class:`UnansweredError` for one of another kind."""
        named = self._proxies.get(url.scheme) or self._proxies.get("all")
        if not named or proxy_bypass(f"{url.raw_host}:{url.port}"):
            return None
        try:
            proxy = URL(named if "://" in named else f"http://{named}")
        except ValueError:
            raise UnansweredError("the proxy that the environment names has no URL") from None
        if proxy.scheme not in _KINDS or not proxy.raw_host:  # the URL is not repeated: it may hold a password
            raise UnansweredError("the proxy that the environment names is neither one of HTTP nor of HTTPS")
        return proxy
