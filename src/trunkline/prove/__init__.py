"""Proof on the living trunk: what I/O observes, judged without I/O."""
