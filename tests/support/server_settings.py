"""The product's settings, but hashing a password takes no time: tests sign in at dozens of servers."""

from django.conf import global_settings

from promptadmin.settings import *  # noqa: F403

# The others read what a command with the product's own settings has written.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *global_settings.PASSWORD_HASHERS]
