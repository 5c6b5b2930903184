"""Checking a stamped file (*pemeriksaan*): the registry first, cryptography second, one verdict.

No cryptography can see one serial used in two documents; only the registry of serials can. And no registry
can see a byte changed in a file; only cryptography can. A verdict needs both, and says what it had.
"""
