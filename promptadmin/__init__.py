"""The platform of promptadmin: it knows plugins, databases and doors, and nothing of prompts."""

from promptadmin.db.sqlite import engine

__version__ = "0.1.0"

engine.choose()
