"""The story of one stamp (*pembubuhan*): reserve, claim, stamp, seal, store, settle; or restore.

The row is the truth. The bytes to be signed are a pure function of it, so that every attempt makes the
same ones; a fence lets only the newest claim settle; what is not affixed at its deadline gives its units
back exactly once, with a signed certificate. ``affix.py`` tells the story in order.
"""
