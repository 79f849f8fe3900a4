"""Users and roles: Django's pages, with the theme's forms, for giving a colleague a role in one step."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import admin as django_pages
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import Field, ManyToManyField, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from promptadmin.accounts.rights import rights_by_thing
from promptadmin.backoffice.password_links import link_page
from promptadmin.backoffice.row_history import HistoryPage
from promptadmin.compat import row_is_gone
from promptadmin.plugins.declarations import enabled_plugins

# What the navigation calls the group of these pages.
apps.get_app_config(User._meta.app_label).verbose_name = "Administration"

#: Django's pair of lists needs two hands and a wide screen; boxes to tick don't.
TICKED: dict[type[Field[Any, Any]], dict[str, Any]] = {
    ManyToManyField: {"widget": UnfoldAdminCheckboxSelectMultipleWidget}
}
ROLES_BELOW = "promptadmin/accounts/roles_below.html"

admin.site.unregister(User)
admin.site.unregister(Group)
# One name for one thing, on every page. Migrations know nothing of it: they compare what the class itself declares.
Group._meta.verbose_name, Group._meta.verbose_name_plural = "role", "roles"


class ColleagueForm(UserCreationForm):
    """A new user, with a role; without a password, they set one themselves with a link."""

    usable_password = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].required = self.fields["password2"].required = False
        self.fields["password1"].help_text = "Leave it empty: you get a link with which they set one themselves."
        self.fields["is_staff"].initial = True

    def validate_passwords(self, *args: Any, **kwargs: Any) -> None:
        """Both empty is no password, as Django's own form has it when that is chosen there."""
        if not self.data.get("password1") and not self.data.get("password2"):
            self.cleaned_data["usable_password"] = "false"  # noqa: S105  # a word of Django's form
        super().validate_passwords(*args, **kwargs)


@admin.register(User)
class UserAdmin(HistoryPage, django_pages.UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # generic only in the stubs
    """People who may sign in: staff with roles, or superusers."""

    form = UserChangeForm
    add_form = ColleagueForm
    add_form_template = "admin/change_form.html"
    change_password_form = AdminPasswordChangeForm
    change_form_after_template = ROLES_BELOW
    list_display = ["username", "email", "roles", "is_staff", "is_superuser", "is_active", "last_login"]
    list_filter_submit = True
    filter_horizontal = ()
    formfield_overrides = TICKED
    add_fieldsets = [
        (None, {"fields": ("username", "email", "groups", "is_staff")}),
        ("Password", {"fields": ("password1", "password2")}),
    ]
    fieldsets = [  # rights come with roles, so the list of all rights that Django shows here is left out
        (None, {"fields": ("username", "password")}),
        ("Personal info", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Important dates", {"fields": ("last_login", "date_joined")}),
    ]
    actions_detail = ["link", "activity"]

    def get_queryset(self, request):  # type: ignore[no-untyped-def]  # as the stubs of Django's class have it
        return super().get_queryset(request).prefetch_related("groups")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The roles by the name that they have everywhere."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            field.label, field.help_text = "Roles", "What each may do stands below."
        return field

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        """On to the link, where the new user has no password."""
        answer = super().response_add(request, obj, post_url_continue)
        if obj.has_usable_password() or not isinstance(answer, HttpResponseRedirect):
            return answer
        return HttpResponseRedirect(reverse("admin:auth_user_link", args=[obj.pk]))

    @admin.display(description="roles")
    def roles(self, row: User) -> str:
        return ", ".join(sorted(group.name for group in row.groups.all())) or "-"

    @action(description="Link to set a password", url_path="link", permissions=["change"])  # type: ignore[untyped-decorator]  # the theme's
    def link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = self.get_object(request, object_id)
        if user is None:
            return row_is_gone(self, request, object_id)
        if user.is_superuser and not request.user.is_superuser:
            raise PermissionDenied
        return link_page(request, user)

    def has_view_log_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """For the action below: with the name of a permission, the theme would ask the database in a system check."""
        return request.user.has_perm("promptadmin.view_logentry")

    @action(description="What they did", url_path="activity", permissions=["view_log"])  # type: ignore[untyped-decorator]  # the theme's
    def activity(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:promptadmin_logentry_activity", query={"person": object_id}))


class PermissionTable(forms.CheckboxSelectMultiple):
    """A row for each kind of thing, with a box for each word of what may be done with it."""

    template_name = "promptadmin/accounts/permissions.html"
    choices: Any

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        held = {str(key) for key in value or ()}
        things = rights_by_thing(self.choices.queryset)
        context["widget"]["things"] = [
            (thing, [(right, str(right.permission.pk) in held) for right in rights]) for thing, rights in things.items()
        ]
        return context


@admin.register(Group)
class GroupAdmin(HistoryPage, django_pages.GroupAdmin, ModelAdmin):
    """Roles."""

    filter_horizontal = ()
    list_after_template = ROLES_BELOW

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any) -> Any:
        """The permissions as a table; without those on tables that have no page, but for what a role has already."""
        if db_field.name == "permissions":
            kwargs |= {"queryset": _offered_permissions(), "widget": PermissionTable}
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def _offered_permissions() -> QuerySet[Permission]:
    tables = Q(group__isnull=False)
    labels = ["promptadmin", *(plugin.label for plugin in enabled_plugins())]
    for model in [User, Group]:
        tables |= Q(content_type__app_label=model._meta.app_label, content_type__model=model._meta.model_name)
    tables |= Q(content_type__app_label__in=labels)
    return Permission.objects.filter(tables).distinct().order_by("content_type__app_label", "content_type__model", "pk")
