from django.db import migrations

from promptadmin.accounts.roles import EDITOR, OPERATOR, VIEWER, grant

VIEW = ["view_comment"]
CHANGE = ["add_comment", "change_comment", "delete_comment"]


class Migration(migrations.Migration):
    dependencies = [("comments", "0001_comments"), ("promptadmin", "0003_roles")]

    operations = [grant("comments", {VIEWER: VIEW, EDITOR: [*VIEW, *CHANGE], OPERATOR: VIEW})]
