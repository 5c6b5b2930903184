"""Proving the invariants (*audit*): reads everything, changes nothing.

The seven invariants stand in ARCHITECTURE.md; each is a set of queries here that list what contradicts it. An
empty list is the proof.
"""
