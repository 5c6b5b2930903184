"""The fast road (*jalan cepat*): a whole seal of ours recognised by its bytes, in a third of a millisecond.

It says *sound* or nothing. What it does not know goes the careful road of :mod:`meterai.signing.validation`.
"""
