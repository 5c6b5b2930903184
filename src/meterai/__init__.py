"""An open platform for Indonesia's electronic stamp duty (*bea meterai elektronik*).

Someone comes through a door, something happens, something we hold changes, with tools, in
words. The picture of the house is ARCHITECTURE.md; the machine checks which folder may import which.
"""

__version__ = "0.1.0"
