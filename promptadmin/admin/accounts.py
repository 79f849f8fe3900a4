"""Users and groups: Django's pages, with the theme's forms."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import admin as django_pages
from django.contrib.auth.models import Group, User
from django.db.models import Field, ManyToManyField
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from promptadmin.backoffice.row_history import HistoryPage

#: Django's pair of lists needs two hands and a wide screen; boxes to tick don't.
TICKED: dict[type[Field[Any, Any]], dict[str, Any]] = {
    ManyToManyField: {"widget": UnfoldAdminCheckboxSelectMultipleWidget}
}

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(HistoryPage, django_pages.UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # generic only in the stubs
    """People who may sign in: staff with roles, or superusers."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "roles", "is_staff", "is_superuser", "is_active", "last_login"]
    list_filter_submit = True
    filter_horizontal = ()
    formfield_overrides = TICKED
    fieldsets = [  # rights come with roles, so the list of all rights that Django shows here is left out
        (None, {"fields": ("username", "password")}),
        ("Personal info", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Important dates", {"fields": ("last_login", "date_joined")}),
    ]

    def get_queryset(self, request):  # type: ignore[no-untyped-def]  # as the stubs of Django's class have it
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="roles")
    def roles(self, row: User) -> str:
        return ", ".join(sorted(group.name for group in row.groups.all())) or "-"


@admin.register(Group)
class GroupAdmin(HistoryPage, django_pages.GroupAdmin, ModelAdmin):
    """Roles."""

    filter_horizontal = ()
    formfield_overrides = TICKED
