"""Backups that are proven: made while others write, opened, checked and compared before they count.

`docs/operations.md` tells operators how to use them.
"""
