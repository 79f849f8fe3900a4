#!/usr/bin/env python
"""Runs promptadmin's commands from a checkout, as `promptadmin` does: `python manage.py help` lists them."""

from promptadmin.__main__ import main

if __name__ == "__main__":
    main()
