"""Projects, their prompts, and the prompts' earlier texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from projects.reach import ReachManager, of_projects, within_reach
from projects.texts.keys import key_of_content
from promptadmin.context import Reach
from promptadmin.db.fields import Count, JSONText, Link, Moment, NamedIndex, Text, new_id

#: A prompt goes by so many characters of its text.
SHORT = 60
#: Stands between the names of a path.
BETWEEN = " / "


class ProjectStatus(models.TextChoices):
    """The states of a project."""

    ACTIVE = "active", "active"
    ARCHIVED = "archived", "archived"
    DELETED = "deleted", "deleted"


class Project(models.Model):
    """A row is a named group of prompts. It may stand in another one, as in a folder, where its name is unique.

    Folders come from PromptForge's last release; `depth` is how many a project stands in, as that release counts.
    """

    id = Text(primary_key=True, default=new_id, editable=False)
    name = Text()
    description = Text(null=True, blank=True)
    status = Text(choices=ProjectStatus, default=ProjectStatus.ACTIVE)
    created_at = Moment(default=timezone.now, editable=False)
    updated_at = Moment(default=timezone.now, editable=False)
    context_profile = JSONText(null=True, blank=True)
    parent = Link("self", on_delete_sql="SET NULL", null=True, blank=True, related_name="children")
    depth = models.IntegerField(null=True, blank=True, db_default=0, editable=False)

    objects = ReachManager()

    class Meta:
        db_table = "projects"
        constraints = [
            models.UniqueConstraint(
                "name", Coalesce("parent", Value("", output_field=Text())), name="uq_projects_parent_name"
            )
        ]
        indexes = [
            NamedIndex(fields=["name"], name="ix_projects_name"),
            NamedIndex(fields=["status"], name="ix_projects_status"),
            NamedIndex(fields=["created_at"], name="ix_projects_created_at"),
            NamedIndex(fields=["updated_at"], name="ix_projects_updated_at"),
        ]

    def __str__(self) -> str:
        return self.path

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """The projects within reach: where names are limited, those with a prompt of such a name."""
        if reach.prefixes is None:
            return of_projects(reach, "pk")
        prompts = Prompt._base_manager.filter(Prompt.within(reach))
        return of_projects(reach, "pk") & Q(pk__in=prompts.values("project_id"))

    @property
    def path(self) -> str:
        """Where it stands: the names of the projects that it is in, and its own."""
        return paths_of([self], self._state.db or DEFAULT_DB_ALIAS)[self.pk]


def paths_of(projects: Iterable[Project], using: str) -> dict[str, str]:
    """By id, the names of the projects that each stands in, from the outermost to its own: "parent / child".

    A query for each level of folders, and none for projects outside of them.
    """
    known = {row.id: (row.name, row.parent_id) for row in projects}
    wanted = {parent for _, parent in known.values() if parent is not None} - known.keys()
    asked = [*known]
    while wanted:
        rows = Project.objects.using(using).filter(id__in=wanted).values_list("id", "name", "parent_id")
        found = {key: (name, parent) for key, name, parent in rows}
        known |= found
        wanted = {parent for _, parent in found.values() if parent is not None} - known.keys()
    return {key: _path(key, known) for key in asked}


def _path(key: str, known: Mapping[str, tuple[str, str | None]]) -> str:
    names: list[str] = []
    passed: set[str] = set()
    at: str | None = key
    while at is not None and at in known and at not in passed:  # another program may have put a project into itself
        passed.add(at)
        name, at = known[at]
        names.append(str(name))
    return BETWEEN.join(reversed(names))


class MemberRole(models.TextChoices):
    """What a member may do with a project, at most: their roles of the back-office have to allow it too."""

    VIEWER = "viewer", "viewer: may see it"
    EDITOR = "editor", "editor: may change it"


class ProjectMember(models.Model):
    """A row is a member of a project. A project that has members is reached by them and by superusers alone."""

    project = Link(Project, on_delete_sql="CASCADE", related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=MemberRole, default=MemberRole.VIEWER)

    class Meta:
        db_table = "project_members"
        default_permissions = ()  # for superusers
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="uq_project_members")]

    def __str__(self) -> str:
        return f"{self.user}, {self.role}"


class Prompt(models.Model):
    """A row is the current text of one prompt of a project."""

    #: What a plugin calls it; filled in by pages that show it.
    called = ""

    id = Text(primary_key=True, default=new_id, editable=False)
    content = Text()
    version = Count(default=1)
    #: None only in files of PromptForge's last release.
    project = Link(Project, on_delete_sql="CASCADE", null=True, blank=True, related_name="prompts")
    order_index = Count(default=0)
    created_at = Moment(default=timezone.now, editable=False)
    updated_at = Moment(default=timezone.now, editable=False)

    objects = ReachManager()

    class Meta:
        db_table = "prompts"
        indexes = [
            NamedIndex(fields=["project"], name="ix_prompts_project_id"),
            NamedIndex(fields=["project", "order_index"], name="ix_prompts_order_index"),
            NamedIndex(fields=["project", "updated_at"], name="ix_prompts_project_updated_at"),
            NamedIndex(fields=["project", "id"], name="ix_prompts_project_key"),
            NamedIndex(fields=["updated_at", "id"], name="ix_prompts_updated_at"),
            NamedIndex("project", key_of_content(), name="ix_prompts_text"),
        ]

    def __str__(self) -> str:
        return self.called or (self.content if len(self.content) <= SHORT else f"{self.content[:SHORT]}…")

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """The prompts within reach. Without a plugin that knows names, none has one."""
        found = of_projects(reach, "project_id")
        return found if reach.prefixes is None else found & Q(pk__in=_prompts_named[-1](reach.prefixes))


#: Which prompts have names that begin so: what `tell_names` was given last.
_prompts_named: list[Callable[[tuple[str, ...]], QuerySet[Any, Any]]] = [
    lambda prefixes: Prompt._base_manager.none().values("pk")
]


def tell_names(function: Callable[[tuple[str, ...]], QuerySet[Any, Any]]) -> None:
    """Let this function answer, from now on, the keys of the prompts whose names begin with one of some texts."""
    _prompts_named.append(function)


class OfPrompt(models.Model):
    """The base of tables whose rows belong to a prompt: who reaches it reaches them."""

    objects = ReachManager()

    class Meta:
        abstract = True

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """The rows of the prompts within reach."""
        return of_prompts(reach)


def of_prompts(reach: Reach) -> Q:
    """Rows of the prompts within reach."""
    return Q(prompt_id__in=Prompt._base_manager.filter(Prompt.within(reach)).values("pk"))


class ImmutableError(Exception):
    """An attempt to change a prompt version."""


class PromptVersionQuerySet(models.QuerySet["PromptVersion"]):
    """Refuses to change what a version says."""

    def update(self, **kwargs: Any) -> int:
        """Update, except what makes a version: only `optimization` may change."""
        changed = set(kwargs) - {"optimization", "optimization_id"}
        if changed:
            raise ImmutableError(f"Prompt versions are immutable: {', '.join(sorted(changed))} can't be changed.")
        return super().update(**kwargs)


class VersionManager(ReachManager["PromptVersion"]):
    """Versions within reach."""

    def get_queryset(self) -> PromptVersionQuerySet:
        """As rows that refuse to be changed."""
        rows = within_reach(PromptVersionQuerySet(self.model, using=self._db))
        assert isinstance(rows, PromptVersionQuerySet)  # noqa: S101  # for mypy
        return rows


class PromptVersion(models.Model):
    """A row is an earlier text of a prompt; it never changes."""

    id = Text(primary_key=True, default=new_id, editable=False)
    prompt = Link(Prompt, on_delete_sql="CASCADE", related_name="versions")
    version = Count()
    content = Text()
    optimization = Link(
        "optimizations.Optimization",
        on_delete_sql="SET NULL",
        null=True,
        blank=True,
        related_name="prompt_versions",
    )
    created_at = Moment(default=timezone.now, editable=False)

    objects = VersionManager()

    class Meta:
        db_table = "prompt_versions"
        indexes = [
            NamedIndex(fields=["prompt"], name="ix_prompt_versions_prompt_id"),
            NamedIndex(fields=["prompt", "version"], name="ix_prompt_versions_prompt_version"),
            NamedIndex(
                fields=["optimization"],
                name="ix_prompt_versions_optimization_id",
                condition=models.Q(optimization__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.version}: {self.content[:60]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; a stored version can't be saved again."""
        if not self._state.adding:
            raise ImmutableError("Prompt versions are immutable: add a new version instead.")
        super().save(*args, **kwargs)

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """The versions of the prompts within reach."""
        return of_prompts(reach)
