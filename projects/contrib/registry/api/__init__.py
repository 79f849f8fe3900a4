"""The API of named prompts."""

from ninja import Router

from projects.contrib.registry.api.bundle import router as bundle
from projects.contrib.registry.api.labels import router as labels
from projects.contrib.registry.api.prompts import router as prompts

router = Router(tags=["registry"])
# The more exact paths first: the first one that matches a request has it, and a name may have slashes.
router.add_router("", bundle)
router.add_router("", labels)
router.add_router("", prompts)
