"""The table of roles, for the pages that give somebody one."""

from __future__ import annotations

from typing import Any

from django import template

from promptadmin.accounts.rights import role_table

register = template.Library()


@register.inclusion_tag("promptadmin/accounts/roles.html")
def roles_table() -> dict[str, Any]:
    return {"table": role_table()}
