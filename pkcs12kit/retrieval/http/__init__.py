"""HTTP within limits: which addresses are asked, and how many redirects, bytes and seconds a response may take."""
