"""Handshakes on the loopback interface between a delivered chain and TLS clients."""
