"""A test that anybody can run: a server is killed again and again while programs write, and nothing may be lost.

Everything happens to a scratch database in a temporary folder. `docs/operations.md` tells operators how to use it.
"""
