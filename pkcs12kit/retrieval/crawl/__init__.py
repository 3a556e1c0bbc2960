"""The crawl: fetching certificates from the URLs in other certificates."""
