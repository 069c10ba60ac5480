"""Labelled values around a body: 索引号, 文号, 发布机构, 发文日期, 来源 … in tables, lists and info lines.

A label is matched after deleting white space and colons, so `索 引 号：` is 索引号. Its value is what follows it in
the same text node, else the next node beside it: an empty cell is an empty value, never the next label's.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from lxml import etree

from connectors.engines.ancestry import Ancestry
from connectors.engines.dates import find_date
from connectors.engines.meta import tidy
from extraction.passes import find_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.html import HtmlElement

    from extraction.nodes import Parts

_FIELDS = {
    "index_no": "索引号 信息索引号 索引号码 信息索引 索引",
    "document_no": "文号 发文字号 发文文号 公文文号 文件编号 文件号 公文号 文件字号",
    "publisher": (
        "发布机构 发布单位 发布机关 发布部门 公开机构 发文机关 发文单位 发文机构 制发机关 "
        "公开责任部门 责任部门 信息公开单位 公开单位"
    ),
    "published": ("发布日期 发布时间 发表时间 发表日期 公开日期 公开时间 信息公开日期 日期 时间 生成日期"),
    "issued": "发文日期 发文时间",
    "written": "成文日期 成文时间 印发日期 制发日期",
    "title": "标题 信息名称 文件名称 公文名称 信息标题 名称",
    "content_source": "信息来源 文章来源 稿件来源 来源单位 来源 稿源",
    "": (
        "阅读次数 阅读量 阅读数 浏览次数 浏览量 浏览数 点击数 点击量 点击次数 访问次数 "
        "访问量 字号 字体 字体大小 分享 分享到 打印 作者 编辑 责任编辑 审核 审核人 关键词 "
        "关键字 主题词 分类 信息分类 主题分类 体裁分类 组配分类 公开方式 公开范围 公开形式 "
        "公开类别 公开时限 有效性 时效 时效性 效力状态 有效期 是否有效 内容概述 内容摘要 "
        "概述 摘要 附件 附件下载 服务对象 信息类别 文种 体裁 主题 更新时间 更新日期 "
        "生效日期 生效时间 失效日期 废止日期 实施日期 保护视力色 语言 关联文件 当前位置 "
        "您当前位置 您的位置 您当前的位置 您现在的位置 上一篇 下一篇 主办单位 承办单位 "
        "网站标识码"
    ),
}
"""Field to its labels; the empty field holds labels that only end a value."""
LABELS = {label: name for name, labels in _FIELDS.items() for label in labels.split()}
_LONGEST = max(map(len, LABELS))
_BEGINNINGS = "".join(sorted({label[0] for label in LABELS} | {":", "：", "\u200b", "\ufeff"}))
"""What a text that is a label can begin with: most texts of a page are told by their first character."""


def _by_first(words: Iterable[str]) -> dict[str, list[str]]:
    """Words by their first character, without it."""
    ends: dict[str, list[str]] = {}
    for word in words:
        if word:
            ends.setdefault(word[0], []).append(word[1:])
    return ends


def _going_on(ends: list[str]) -> str:
    """A pattern of how words that begin alike may end, with blanks between the characters."""
    ways = [char + _going_on(rest) for char, rest in _by_first(ends).items()]
    if not ways:
        return ""
    pattern = r"\s{0,8}" + (ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})")
    return f"(?:{pattern})?" if "" in ends else pattern


_INLINE = re.compile(
    "("
    + "|".join(rf"{char}(?<![\u4e00-\u9fff].)" + _going_on(ends) for char, ends in _by_first(LABELS).items())
    + r")\s{0,8}[:：]",
    re.S,
)
"""What stands before a label is asked after its first character: a pattern that begins with characters is searched for
them alone, several times as fast as one that begins with a condition. Labels that begin alike share their beginning:
that is compiled in half the time, at each start, and asked in less."""
_SHORT = 40
"""Characters of a text that may be a label, blanks included."""
_SQUEEZE = re.compile(r"[\s:：\u200b\ufeff]+")
_NOTHING = frozenset({"无", "无号", "暂无", "无文号", "空", "-", "--", "—", "/", "null", "none"})
_VALUE_END = re.compile(r"[【|｜]|\s{3,}|字体|字号|打印")
_MAX_VALUE = 200
_MAX_SIBLINGS = 8
"""Empty elements (icons, spacers) that may stand between a label and its value."""
_SKIPPED = frozenset(("script", "style", "select", "option", "textarea", "button", "noscript", "template", "title"))
_CLOSED = ("select", "button", "noscript", "template", "textarea")
"""Those of them that can hold elements."""
_CELLS = frozenset(("td", "th", "dd", "dt", "div", "p", "li"))
_LABEL_CELLS = frozenset(("td", "th", "dt", "label"))
_KINDS: dict[object, str] = {
    **dict.fromkeys((*_SKIPPED, etree.Comment, etree.ProcessingInstruction, etree.Entity), "unread"),
    **dict.fromkeys(_CLOSED, "closed"),
    **dict.fromkeys(_LABEL_CELLS, "cell"),
}
"""Elements by what of them is looked through for labels (see `find_texts`)."""
_WORD = re.compile(r"\w")
_DIGIT = re.compile(r"\d")
_WRITTEN = re.compile(r"document\.write(?:ln)?\s*\(")


def read_labels(root: HtmlElement, body: HtmlElement | None, parts: Parts) -> dict[str, str]:
    """Field to value, for every labelled value outside the body. The first good value of a field wins."""
    found: dict[str, str] = {}
    for name, value in _labelled(root, body):
        if name and name not in found:
            good = _check(name, value)
            if good:
                found[name] = good
    for text in _written_by_script(parts, body):
        for name, value in _split(text):
            good = _check(name, value)
            if name and good and name not in found:
                found[name] = good
    return found


def squeeze(text: str) -> str:
    """A text as labels are matched: without blanks and colons. A portal repeats the short ones on each page."""
    return _squeeze_short(text) if len(text) <= _SHORT else _SQUEEZE.sub("", text)


@lru_cache(maxsize=4096)
def _squeeze_short(text: str) -> str:
    return _SQUEEZE.sub("", text)


def is_info_line(text: str) -> bool:
    """Whether a text holds labelled values as pages print them around a body. A body may begin with `附件：`."""
    return any(not match[1].startswith("附") for match in _INLINE.finditer(text[:_MAX_VALUE]))


def is_nothing(value: str) -> bool:
    """Whether a value says that there is none: `无号`, `无`, a dash."""
    return squeeze(value).lower() in _NOTHING or not value.strip()


def _check(name: str, value: str) -> str | None:
    """The value where it can be one of its field, else None."""
    value = tidy(value)
    if is_nothing(value) or not _WORD.search(value):
        return None
    if name in ("published", "issued", "written"):
        return find_date(value)
    if name == "document_no":
        return value if len(value) <= 80 and _DIGIT.search(value) and "。" not in value else None
    if name == "index_no":
        return value if len(value) <= 80 and _DIGIT.search(value) else None
    if name == "title":
        return value if len(value) >= 4 else None
    return value if len(value) <= 60 and "。" not in value else None


def _labelled(root: HtmlElement, body: HtmlElement | None) -> Iterator[tuple[str, str]]:
    """In document order, without the body, and without the inside of what holds no readable text."""
    around = frozenset() if body is None else frozenset((body, *body.iterancestors()))
    for element, text, may_label, is_tail in find_texts(root, body, _KINDS, (":", "："), _BEGINNINGS):
        if may_label and text:
            yield from _read_text(text, element, is_tail=is_tail, around=around)
        if not is_tail and element.tag in _LABEL_CELLS and len(element):
            # A label broken over inline elements: match the cell as a whole.
            whole, own = squeeze(element.text_content()[:80]), squeeze(text or "")
            if whole != own and LABELS.get(whole):
                yield LABELS[whole], _value_beside(element, around)


def _read_text(
    text: str, element: HtmlElement, *, is_tail: bool, around: frozenset[HtmlElement]
) -> Iterator[tuple[str, str]]:
    if not text.strip() or len(text) > 4000:
        return
    if len(text) <= _SHORT:
        squeezed = squeeze(text)
        if len(squeezed) <= _LONGEST and squeezed in LABELS:
            name = LABELS[squeezed]
            if name:
                yield name, _value_after(element, is_tail=is_tail, around=around)
            return
    if ":" not in text and "：" not in text:
        return
    pairs = _split(text)
    for index, (name, value) in enumerate(pairs):
        if name and not value and index == len(pairs) - 1 and text.rstrip()[-1] in ":：":
            value = _value_after(element, is_tail=is_tail, around=around)
        yield name, value


def _split(text: str) -> tuple[tuple[str, str], ...]:
    """`来源：甲 发布日期：乙` as pairs; a value ends at the next label or at a tool. Portals repeat short texts."""
    return _split_short(text) if len(text) <= _MAX_VALUE else tuple(_find_pairs(text))


@lru_cache(maxsize=4096)
def _split_short(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(_find_pairs(text))


def _find_pairs(text: str) -> Iterator[tuple[str, str]]:
    matches = list(_INLINE.finditer(text[:4000]))
    for index, match in enumerate(matches):
        end = matches[index + 1].start() if index + 1 < len(matches) else len(text)
        value = text[match.end() : min(end, match.end() + _MAX_VALUE)].lstrip()
        stop = _VALUE_END.search(value)
        yield LABELS["".join(match[1].split())], (value[: stop.start()] if stop else value).strip()


def _value_after(element: HtmlElement, *, is_tail: bool, around: frozenset[HtmlElement]) -> str:
    """The text that follows a label node: inside its element, else beside it. Of `around`, the body and what it stands
    in, nothing is a value."""
    if is_tail:
        return _value_beside(element, around, skip_tail=True)
    for child in element:
        value = _own_value(child, around)
        if value:
            return value
        if _is_filled(child.tail):
            return _before_label(child.tail or "")
    return _value_beside(element, around)


def _value_beside(element: HtmlElement, around: frozenset[HtmlElement], *, skip_tail: bool = False) -> str:
    """The next sibling's text; one that is there but empty is an empty value. Climbs out of inline wrappers."""
    for _ in range(4):
        if not skip_tail and _is_filled(element.tail):
            return _before_label(element.tail or "")
        skip_tail = False
        for sibling in islice(element.itersiblings(), _MAX_SIBLINGS):
            value = _own_value(sibling, around)
            if value or sibling.tag in _CELLS:
                return value
            if _is_filled(sibling.tail):
                return _before_label(sibling.tail or "")
        parent = element.getparent()
        if parent is None or element.tag in ("tr", "li", "p", "dd", "td", "th", "table", "body"):
            return ""
        element = parent
    return ""


def _is_filled(text: str | None) -> bool:
    return bool(text and not text.isspace() and squeeze(text))


def _own_value(element: HtmlElement, around: frozenset[HtmlElement]) -> str:
    if not isinstance(element.tag, str) or element.tag in _SKIPPED or element in around:
        return ""
    if not len(element):
        return _before_label((element.text or "")[:_MAX_VALUE])
    text, length = [], 0
    for piece in _texts(element):
        text.append(piece)
        length += len(piece)
        if length >= _MAX_VALUE:
            break
    return _before_label("".join(text)[:_MAX_VALUE])


def _texts(element: HtmlElement) -> Iterator[str]:
    """Readable text in page order. Lazy, so that a value costs what it is long, not what its element is."""
    if isinstance(element.tag, str) and element.tag not in _SKIPPED:
        if element.text:
            yield element.text
        for child in element:
            yield from _texts(child)
            if child.tail:
                yield child.tail


def _before_label(text: str) -> str:
    if squeeze(text) in LABELS:
        return ""
    match = _INLINE.search(text) if ":" in text or "：" in text else None
    return (text[: match.start()] if match else text[:_MAX_VALUE]).strip()


def _written_by_script(parts: Parts, body: HtmlElement | None) -> Iterator[str]:
    """What scripts outside the body write into the page, without its tags."""
    inside = Ancestry(lambda element: element is body)
    for script, text in parts.scripts:
        if "document.write" in text and inside.find(script) is None:
            for call in _WRITTEN.split(text[:20_000])[1:]:
                quoted = re.match(r"\s*(?:'([^'\n]{0,2000})'|\"((?:[^\"\\\n]|\\.){0,2000})\")", call)
                if quoted:
                    yield tidy((quoted[1] or quoted[2] or "").replace("><", "> <").replace("\\", ""))
