"""TLS: the certificates that servers send, the probing of live servers, and rehearsals with clients."""
