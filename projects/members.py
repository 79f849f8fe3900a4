"""Members of projects: where a project has some, it is theirs."""

from __future__ import annotations

from typing import Any

from projects.models import MemberRole, ProjectMember
from promptadmin.context import Reach


def reach_of_member(user: Any) -> Reach | None:
    """What a member of staff is limited to: not the projects that have members, unless they are one. None for all.

    Read once for a user object, which is a request's.
    """
    if user.is_superuser:
        return None
    if not hasattr(user, "reach_in_projects"):
        mine, all_of_them = {}, set()
        for project, member, role in ProjectMember.objects.values_list("project_id", "user_id", "role"):
            all_of_them.add(project)
            if member == user.pk:
                mine[project] = role
        viewed = frozenset(project for project, role in mine.items() if role != MemberRole.EDITOR)
        hidden = frozenset(all_of_them - mine.keys())
        user.reach_in_projects = Reach(hidden=hidden, read_only=viewed)
    reach: Reach = user.reach_in_projects
    return reach
