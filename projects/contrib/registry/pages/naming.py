"""The page on which a prompt gets a name, or another one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from projects.contrib.registry.models import Format, Kind
from projects.contrib.registry.pages.access import needs, prompt_is_gone
from projects.contrib.registry.pages.forms import NameForm
from projects.contrib.registry.repository import RegistryRepository
from projects.models import Prompt
from promptadmin.db.sessions import read_session, write_session
from promptadmin.errors import DomainError, Invalid, NotFound
from promptadmin.http.keys import row_page


@needs("write")
def name_view(request: HttpRequest, object_id: str) -> HttpResponse:
    """Ask for the name, and give it."""
    prompt_id, repository = unquote(object_id), RegistryRepository()
    try:
        with read_session():
            prompt = repository.prompts.readable_prompt(prompt_id)
            name = repository.name_of(prompt_id)
            found = repository.find(name) if name else None
    except NotFound:
        return prompt_is_gone(request, prompt_id)
    prompt.called = name or ""
    stored: dict[str, Any] = {"kind": Kind.TEXT, "template_format": Format.MUSTACHE}
    if found is not None:
        stored = {key: value for key, value in found._asdict().items() if key in NameForm.base_fields}
        stored["tags"] = ", ".join(found.tags)
    form = NameForm(request.POST if request.method == "POST" else None, initial=stored)
    if form.is_valid():
        try:
            with write_session():
                named = repository.give_name(prompt_id=prompt_id, **form.cleaned_data)
        except DomainError as refused:
            form.add_error("name" if isinstance(refused, Invalid) else None, str(refused))
        else:
            messages.success(request, f"The prompt is called {named.name}.")
            return HttpResponseRedirect(row_page(Prompt, prompt_id))
    context = {
        **admin.site.each_context(request),
        "title": "Rename" if name else "Give a name",
        "opts": Prompt._meta,
        "original": prompt,
        "form": form,
        "back": row_page(Prompt, prompt_id),
    }
    return TemplateResponse(request, "registry/name.html", context)
