"""Money given back (*uang dikembalikan*): for unused units of an order, or for a payment that fits none.

A unit that comes back is *restored* and no matter of this room. What is refunded is held in the books from the
moment it is asked for, decided by the terms in force at the purchase, and paid by the provider.
"""
