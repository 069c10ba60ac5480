"""docs/sources.md: how a portal is added, and what a source file may say, from the schema that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from connectors.engines import FAMILIES
from connectors.registry import Source

_INTRODUCTION = """\
A source is one YAML file in `connectors/sources/`, or in a folder that `FAZHI_SOURCES` names. `fazhi new-source URL`
writes it: from a home page, a column, a feed or one report it recognises the CMS, finds the column, tries list and
details, and leaves source file, fixtures, golden values and a contract test.

```console
$ fazhi new-source http://www.example.gov.cn/ --out data/new-sources
$ FAZHI_SOURCES=data/new-sources fazhi nightly --source 330999_example
```

It asks at most 80 pages (`--budget`), each once, through the same client as a crawl: robots.txt, the host's lane,
no way around a challenge. What it could not find it says in one line, and exits with 1.

Look over: name and region, the years, the golden values (`fixtures/<id>/golden.json`, each against its page), what is
marked uncertain. Then move file and fixtures to `connectors/sources/`; the contract suite walks them from then on.
`verified: false` keeps a source out of the nightly until somebody asks for it by its id and it has worked. Such a file
needs no fixture yet, for nobody has seen its pages: `fazhi new-source URL --id ID` on the live portal records them, and
`fazhi sources verify ID` takes the mark away once the contract holds and a run has brought reports.

When a layout changes, the run says `layout-changed` with what its pages lost, loads nothing of that night, and leaves a
proposed repair as an artifact. `fazhi sources doctor ID` says since when, and what to do. Pages are compared with the
golden values and with what earlier nights hold of them: fields, the names of their elements, the place of the metadata
beside the body. Whoever has looked at the new layout states `selectors.body`, and it counts as known. A list with
other names, or with far fewer rows than were known, is a finding in the report; one without any row fails its source.

List services that answer POST only (epoint's `getgovinfolist`) are not asked: every request is a GET. A column that is
filled by one alone is named as unread by `new-source`; its feed or static list, if there is one, can be given."""


def render_sources(generated: str) -> str:
    rows = [f"| `{name}` | {default} | {words} |" for name, default, words in _options(Source, "")]
    engines = [f"| `{one.name}` | {_first_line(one)} |" for one in FAMILIES]
    return "\n".join(
        [
            "# Sources", "", generated, "", _INTRODUCTION, "", "## Keys", "", "| key | default | meaning |",
            "|---|---|---|", *rows, "", "## Engines", "", "| engine | what it reads |", "|---|---|", *engines, "",
        ]
    )  # fmt: skip


def _options(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        inner, is_list = _inner(field.annotation)
        yield f"{prefix}{name}", _default(field), _plain(field.description)
        if inner is not None:
            yield from _options(inner, f"{prefix}{name}[]." if is_list else f"{prefix}{name}.")


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    inside = [one for one in get_args(annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    return (inside[0], True) if inside else (None, False)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "must be given"
    if isinstance(value, BaseModel) or value in ((), None):
        return "—"
    return "see registry.py" if isinstance(value, tuple) else f"`{value}`"


def _plain(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "/")


def _first_line(engine: object) -> str:
    import sys

    own = type(engine).__doc__ or ""
    text = sys.modules[type(engine).__module__].__doc__ or ""
    return _plain((own if type(engine).__name__ == "FeedEngine" else text).split("\n\n")[0])
