"""An order (*pesanan*) and what was paid for it: place, expire, match a payment, credit units.

Units are set aside in the channel's stock when the order is placed, so that nobody pays for what is not
there; they become the buyer's in the same transaction in which the rupiah enter the books.
"""
