"""Messages out (*pesan keluar*): written in the transaction that causes them, sent afterwards.

Where no way of sending is configured they stay in the *kotak keluar*, where an officer sees them; a
one-time code in them is masked there, outside the demo.
"""
