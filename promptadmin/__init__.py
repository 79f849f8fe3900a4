"""The platform of promptadmin: it knows plugins, databases and doors, and nothing of prompts."""

__version__ = "0.1.0"
