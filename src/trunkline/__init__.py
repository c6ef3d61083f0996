"""Trunkline designs, runs and proves a SIP trunk between an IPBX and its carrier."""

__version__ = "0.1.0"
