"""Stamps one may use (*kuota*): reserve, settle, release, restore, over ledger accounts.

There is no table of its own: the numbers are the ledger's. A unit is *available*, *reserved*, *used* or
*retired*; restored is a movement, not a state.
"""
