"""The engines by name. A source names its engine; a new family is a module here and a line below."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from connectors.engines.anyportal import FeedEngine, GenericEngine
from connectors.engines.cms_html import CmsHtmlEngine
from connectors.engines.empire import EmpireEngine
from connectors.engines.epoint import EpointEngine
from connectors.engines.gkmlpt import GkmlptEngine
from connectors.engines.hanweb import HanwebEngine
from connectors.engines.lonsun import LonsunEngine
from connectors.engines.nfcms import NfcmsEngine
from connectors.engines.trs import TrsEngine
from connectors.engines.truecms import TrueCmsEngine
from connectors.engines.ucap import UcapEngine
from connectors.engines.vsb import VsbEngine
from connectors.engines.webims import WebImsEngine
from connectors.errors import ContractBroken

if TYPE_CHECKING:
    from connectors.base import Engine
    from connectors.engines.family import FamilyEngine

FAMILIES: tuple[FamilyEngine, ...] = (
    CmsHtmlEngine(),
    EmpireEngine(),
    EpointEngine(),
    FeedEngine(),
    GenericEngine(),
    GkmlptEngine(),
    HanwebEngine(),
    LonsunEngine(),
    NfcmsEngine(),
    TrsEngine(),
    TrueCmsEngine(),
    UcapEngine(),
    VsbEngine(),
    WebImsEngine(),
)
_ENGINES: dict[str, Engine] = {engine.name: engine for engine in FAMILIES}


def engine_names() -> tuple[str, ...]:
    return tuple(sorted(_ENGINES))


def get_engine(name: str) -> Engine:
    """The engine of that name. Raises ContractBroken with the list of known ones."""
    engine = _ENGINES.get(name)
    if engine is None:
        near = get_close_matches(name, _ENGINES, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ContractBroken(f"no engine {name!r}: {hint}known are {', '.join(engine_names())}")
    return engine
