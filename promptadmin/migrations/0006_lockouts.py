"""Operators may see failed sign-ins and lift lockouts."""

from django.db import migrations

from promptadmin.accounts.roles import OPERATOR, grant


class Migration(migrations.Migration):
    dependencies = [
        ("promptadmin", "0005_kept_answers"),
        ("axes", "0001_initial"),
    ]

    operations = [
        grant("axes", {OPERATOR: ["view_accessattempt", "delete_accessattempt"]}),
    ]
