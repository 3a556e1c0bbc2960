"""Clients of other makers, each told to trust the given anchors alone; none is given a key."""
