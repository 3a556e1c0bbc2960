"""A TLS server over the network: connecting, STARTTLS, and the chain that it serves."""
