"""The crawl: certificates found by following the URLs inside certificates."""
