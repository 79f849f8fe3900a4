"""The pages on which comments are added, edited and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from projects.admin.confirming import Question, ask
from projects.contrib.comments.mentions import nobodies
from projects.contrib.comments.models import Comment
from projects.contrib.comments.notifying import told_of
from projects.contrib.comments.pages.access import expect
from projects.contrib.comments.pages.forms import SentForm, TextForm
from projects.contrib.comments.repository import CommentRecord, CommentRepository
from projects.models import Prompt
from projects.templatetags.prompt_texts import beginning
from promptadmin.db.sessions import read_session, write_session
from promptadmin.errors import DomainError, NotFound
from promptadmin.http.keys import row_page


@require_POST
def add_view(request: HttpRequest, object_id: str) -> HttpResponse:
    """Add one to a prompt; a refused one comes back in a form of its own."""
    expect(request, "write")
    prompt_id, form = unquote(object_id), SentForm(request.POST)
    if form.is_valid():
        try:
            with write_session():
                made = CommentRepository().add(prompt_id=prompt_id, **form.cleaned_data)
        except NotFound as missing:
            messages.error(request, f"Nothing was added. {missing}")
            return HttpResponseRedirect(came_from(request))
        except DomainError as refused:
            form.add_error(None, str(refused))
        else:
            others = [name for name in made.mentions if name != request.user.get_username()]
            with read_session():
                able = told_of(made, others)
            told = f" {', '.join(able)} will be told." if able else ""
            messages.success(request, f"The comment was added.{told}")
            _warn(request, made, [name for name in others if name not in able])
            return HttpResponseRedirect(f"{came_from(request, prompt_id)}#box-comments")
    form.fields["version"].widget = form.fields["version"].hidden_widget()
    return _form_page(request, form, "Add a comment", "Add the comment", row_page(Prompt, prompt_id))


def edit_view(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Give one's own another text."""
    expect(request, "write")
    comment = _comment(comment_id)
    if not comment.is_own:
        raise PermissionDenied
    form = TextForm(request.POST if request.method == "POST" else None, initial={"text": comment.text})
    back = f"{row_page(Prompt, comment.prompt_id)}#box-comments"
    if form.is_valid():
        try:
            with write_session():
                made = CommentRepository().edit(comment_id, text=form.cleaned_data["text"])
        except DomainError as refused:
            form.add_error(None, str(refused))
        else:
            added = set(made.mentions) - {*comment.mentions, request.user.get_username()}
            untold = " Only a new comment tells those whom it mentions." if added else ""
            messages.success(request, f"The comment was changed.{untold}")
            _warn(request, made)
            return HttpResponseRedirect(back)
    return _form_page(request, form, "Edit a comment", "Save", back)


def delete_view(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Ask, and then delete it."""
    expect(request, "write")
    comment = _comment(comment_id)
    if not (comment.is_own or request.user.is_superuser):
        raise PermissionDenied
    back = f"{row_page(Prompt, comment.prompt_id)}#box-comments"
    if request.method != "POST":
        question = Question(
            title="Delete comment",
            names=[beginning(comment.text)],
            consequence="The change log keeps what it said.",
            button="Delete",
            back=back,
            is_danger=True,
        )
        return ask(request, admin.site.get_model_admin(Comment), question)
    try:
        with write_session():
            CommentRepository().delete(comment_id)
    except DomainError as refused:
        messages.error(request, f"Nothing was done. {refused}")
    else:
        messages.success(request, "The comment was deleted.")
    return HttpResponseRedirect(back)


def came_from(request: HttpRequest, prompt_id: str | None = None) -> str:
    """The page of this site that a form names as its own, or else the prompt's, or the start."""
    named = request.POST.get("page", "")
    if named.startswith("/") and url_has_allowed_host_and_scheme(named, None):
        return urlsplit(named)._replace(fragment="").geturl()
    return row_page(Prompt, prompt_id) if prompt_id else reverse("admin:index")


def _warn(request: HttpRequest, comment: CommentRecord, outside: Sequence[str] = ()) -> None:
    """Say which mentions of a comment reach nobody."""
    with read_session():
        unknown = nobodies(comment.text, DEFAULT_DB_ALIAS)
    if unknown:
        called = " or ".join(f"“{name}”" for name in unknown)
        messages.warning(request, f"No member of staff is called {called}, so nobody is told by that mention.")
    if outside:
        who = ", ".join(outside)
        messages.warning(request, f"Not told, because the project has members, and they are none of them: {who}.")


def _comment(comment_id: int) -> CommentRecord:
    try:
        with read_session():
            return CommentRepository().get(comment_id)
    except NotFound as missing:
        raise Http404(str(missing)) from missing


def _form_page(request: HttpRequest, form: Any, title: str, button: str, back: str) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": title,
        "opts": Comment._meta,
        "form": form,
        "button": button,
        "back": back,
        "page": request.POST.get("page", ""),
    }
    return TemplateResponse(request, "comments/form.html", context)
