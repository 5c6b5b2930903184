"""Files kept durably: a local folder by default, S3 by address; encrypted at rest.

An object is written once under a name that is never used again, and is complete or absent, also after a
power cut.
"""
