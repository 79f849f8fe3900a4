"""All prompts of a label in one file."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import AfterValidator

from projects.api.inputs import storable
from projects.contrib.registry.api.prompts import cache_control
from projects.contrib.registry.api.schemas import LABEL, BundleOut
from projects.contrib.registry.api.shapes import prompt_shape
from projects.contrib.registry.bundle import write_bundle
from projects.contrib.registry.names import PRODUCTION
from projects.contrib.registry.repository import RegistryRepository
from promptadmin.api.app import errors
from promptadmin.api.etags import is_known, text_tag
from promptadmin.http.responses import ready_text

router = Router()


@router.get(
    "/bundle",
    response={200: BundleOut, 304: None, **errors(400, 404)},
    operation_id="get_bundle",
    summary="Fetch all prompts of a label in one file",
)
def get_bundle(
    request: HttpRequest,
    *,
    label: Annotated[str, AfterValidator(storable), Query(PRODUCTION, max_length=1000, example=LABEL)] = PRODUCTION,
    prefix: Annotated[
        str | None, AfterValidator(storable), Query(None, description="What names begin with.", example="support/")
    ] = None,
) -> HttpResponse:
    """By name, each as `GET /api/prompts/{name}?label=` answers it; of a split, the heaviest version.

    Where no prompt has the label: 404, with the labels that there are.

    The bytes are the same until a prompt or the label changes. docs/registry.md tells how a program checks the
    signature.
    """
    found = RegistryRepository().labelled_prompts(label=label, prefix=prefix)
    text = write_bundle(label, prefix, map(prompt_shape, found))
    headers = {"ETag": text_tag(text), "Cache-Control": cache_control()}
    if is_known(request, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    return ready_text(text, headers)
