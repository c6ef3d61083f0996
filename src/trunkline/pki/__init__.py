"""Keys, requests, names and chains: who a peer is, judged from bytes at a given civil time."""
