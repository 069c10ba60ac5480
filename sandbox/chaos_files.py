"""Faults of size and of content: huge and odd pages, attachments that are none."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from functools import cache

from sandbox.attachments import render_pdf
from sandbox.chaos_model import Behaviour, Exchange, head
from sandbox.chaos_portal import (
    COUNTY,
    STRUCK_YEAR,
    render_page,
    render_report,
    report_lines,
    report_title,
    struck_docx,
)

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MIB = 1 << 20
_FILLER = "法治政府建设。" * 3000


async def _flood(x: Exchange, content_type: str, *, length: int | None) -> None:
    """200 MiB, or without end: whoever reads on is to blame."""
    fields = [("Content-Type", content_type)]
    if length is not None:
        fields.append(("Content-Length", str(length)))
    await x.send(head(200, fields), b"<html><body>")
    part, sent = _FILLER.encode(), 0
    while not x.stopping.is_set() and (length is None or sent < length):
        await x.send(part)
        sent += len(part)


async def _page_200_mib(x: Exchange) -> None:
    await _flood(x, "text/html", length=200 * _MIB)


async def _page_endless(x: Exchange) -> None:
    await _flood(x, "text/html", length=None)


async def _file_200_mib(x: Exchange) -> None:
    await _flood(x, _DOCX, length=200 * _MIB)


async def _file_endless(x: Exchange) -> None:
    await _flood(x, _DOCX, length=None)


async def _deep(x: Exchange) -> None:
    depth = 20_000
    await x.reply(render_report(STRUCK_YEAR, before="<div>" * depth, after="</div>" * depth))


async def _deep_behind(x: Exchange) -> None:
    await x.reply(render_report(STRUCK_YEAR, after="<div><font>" * 20_000))


async def _one_line(x: Exchange) -> None:
    text = render_report(STRUCK_YEAR, after=f'<div class="footer">{_FILLER * 12}</div>')
    await x.reply(text.replace("\n", ""))


async def _many_attributes(x: Exchange) -> None:
    tag = "<div " + " ".join(f"data-{number}='1'" for number in range(10_000)) + "></div>"
    await x.reply(render_report(STRUCK_YEAR, before=tag))


async def _too_many_attributes(x: Exchange) -> None:
    """libxml2 would take minutes for them."""
    tag = "<div " + " ".join(f"a{number}='>'" for number in range(100_000)) + "></div>"
    await x.reply(render_report(STRUCK_YEAR, before=tag))


async def _many_in_a_short_page(x: Exchange) -> None:
    tag = "<div " + " ".join(f"a{number:x}" for number in range(15_000)) + "></div>"
    await x.reply(render_report(STRUCK_YEAR, before=tag))


async def _many_beginnings(x: Exchange) -> None:
    await x.reply(render_report(STRUCK_YEAR, before="<!--正文开始-->" * 20_000, after="<a" * 100_000))


async def _cut_off(x: Exchange) -> None:
    await x.reply(x.good.body[: x.good.body.index("受理".encode()) + 7])


_FALSE = "<p>全县收到行政复议申请99999件，受理99999件。</p>" + f"<p>{_FILLER[:700]}</p>"


async def _hidden_body(x: Exchange) -> None:
    await x.reply(
        render_report(STRUCK_YEAR, before=f'<div style="display:none"><div class="TRS_UEDITOR">{_FALSE}</div></div>')
    )


async def _hidden_body_by_sheet(x: Exchange) -> None:
    decoy = f'<div class="x1"><div class="TRS_Editor">{_FALSE}</div></div>'
    await x.reply(render_report(STRUCK_YEAR, metas="<style>.x1{display:none}</style>", before=decoy))


async def _struck_out(x: Exchange) -> None:
    await x.reply(x.good.body.decode().replace("申请", "申请<del>99999</del><s>9</s>", 1))


async def _open_comment(x: Exchange) -> None:
    await x.reply(render_report(STRUCK_YEAR, after="<!-- " + "--!>" * 20_000 + "<p>行政复议申请99999件"))


async def _many_tags(x: Exchange) -> None:
    await x.reply(render_report(STRUCK_YEAR, after="<b><i></b></i><p>" * 5_000))


async def _file_is_page(x: Exchange) -> None:
    await x.reply(f"<html><body><h1>{COUNTY}</h1><p>附件不存在</p></body></html>")


async def _file_is_page_by_name(x: Exchange) -> None:
    """The same, and the header says it is a document."""
    await x.reply(
        f"<!DOCTYPE html><html><body><h1>{COUNTY}</h1><p>行政复议申请99999件</p></body></html>", content_type=_DOCX
    )


async def _file_empty(x: Exchange) -> None:
    await x.reply(b"", content_type=_DOCX)


async def _file_cut(x: Exchange) -> None:
    await x.reply(struck_docx()[:-900], content_type=_DOCX)


async def _file_program(x: Exchange) -> None:
    await x.reply(b"MZ\x90\0\x03" + b"\0" * 2000, content_type=_DOCX)


async def _file_called_pdf(x: Exchange) -> None:
    await x.reply(x.good.body, content_type="application/pdf")


def _repack(changed: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(struck_docx())) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            if name not in changed:
                target.writestr(name, source.read(name))
        for name, data in changed.items():
            target.writestr(name, data)
    return out.getvalue()


@cache
def docx_bomb() -> bytes:
    """A docx whose text unpacks to 80 MiB."""
    out = io.BytesIO()
    start = (
        b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>'
    )
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        target.writestr("[Content_Types].xml", "<Types/>")
        with target.open("word/document.xml", "w") as part:
            part.write(start)
            for _ in range(80):
                part.write(b"9" * _MIB)
    return out.getvalue()


async def _file_packed(x: Exchange) -> None:
    await x.reply(gzip.compress(x.good.body), content_type=_DOCX)


async def _file_json(x: Exchange) -> None:
    await x.reply('{"success":false,"msg":"操作失败"}', content_type=_DOCX)


async def _file_markup(x: Exchange) -> None:
    """As Word saves it, with the figures of another report."""
    page = '<html xmlns:o="urn:schemas-microsoft-com:office:office"><body><p>行政复议申请99999件</p></body></html>'
    await x.reply(page, content_type="application/msword")


async def _file_picture(x: Exchange) -> None:
    await x.reply(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(500), content_type="image/jpeg")


async def _file_unseen(x: Exchange) -> None:
    """Its text, and beside it what is hidden, and a row that is deleted with its changes tracked."""
    text = zipfile.ZipFile(io.BytesIO(struck_docx())).read("word/document.xml").decode()
    unseen = (
        "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>行政复议申请99999件</w:t></w:r></w:p>"
        '<w:tbl><w:tr><w:trPr><w:del w:id="1"/></w:trPr><w:tc><w:p><w:r><w:t>99999</w:t></w:r></w:p></w:tc></w:tr>'
        "</w:tbl>"
    )
    at = text.index("<w:body>") + len("<w:body>")
    await x.reply(_repack({"word/document.xml": (text[:at] + unseen + text[at:]).encode()}), content_type=_DOCX)


def _hex(text: str) -> str:
    return text.encode("utf-16-be").hex()


def _indented() -> str:
    """The report's lines as a set page shows that they are paragraphs."""
    return "\n".join(f"\u3000\u3000{line}" for line in report_lines(STRUCK_YEAR))


async def _pdf_unseen(x: Exchange) -> None:
    """In white, in a mode that paints nothing, out of the page, too small, and painted over."""
    words = _hex("行政复议申请99999件")
    ways = (("14 Tf 1 g", 300), ("14 Tf 3 Tr", 270), ("14 Tf", -60), ("1 Tf", 240), ("14 Tf", 200))
    drawn = "".join(f"q BT /F1 {how} 1 0 0 1 60 {y} Tm <{words}> Tj ET Q\n" for how, y in ways)
    drawn += "q 1 g 50 190 400 40 re f Q\n"
    await x.reply(render_pdf(_indented(), drawn=drawn), content_type="application/pdf")


async def _pdf_twice(x: Exchange) -> None:
    await x.reply(render_pdf(_indented(), copies=2), content_type="application/pdf")


async def _file_margins(x: Exchange) -> None:
    """A comment on it, and a header: neither is its text."""
    kinds, w = ("comments", "header"), "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    parts = {
        f"word/{kind}9.xml": f'<w:{kind} xmlns:w="{w}"><w:p><w:r><w:t>行政复议申请99999件</w:t></w:r></w:p></w:{kind}>'
        for kind in kinds
    }
    text = zipfile.ZipFile(io.BytesIO(struck_docx())).read("word/document.xml").decode()
    text = text.replace("</w:p>", '<w:r><w:commentReference w:id="0"/></w:r></w:p>', 1)
    changed = {name: data.encode() for name, data in parts.items()}
    await x.reply(_repack({**changed, "word/document.xml": text.encode()}), content_type=_DOCX)


async def _file_bomb(x: Exchange) -> None:
    await x.reply(docx_bomb(), content_type=_DOCX)


async def _file_entities(x: Exchange) -> None:
    lines = ['<!DOCTYPE d [<!ENTITY a0 "99999件">', *(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))]
    text = (
        "\n".join(lines) + ']>\n<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        "<w:body><w:p><w:r><w:t>行政复议申请&a9;</w:t></w:r></w:p></w:body></w:document>"
    )
    await x.reply(_repack({"word/document.xml": text.encode()}), content_type=_DOCX)


@cache
def pdf_bomb() -> bytes:
    """A PDF whose one page draws what unpacks to 256 MiB."""
    packer = zlib.compressobj(1)
    packed = b"".join([*(packer.compress(b" " * _MIB) for _ in range(256)), packer.flush()])
    return b"".join(
        (
            b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n",
            b"2 0 obj\n<< /Type /Pages /Count 1 /Kids [3 0 R] >>\nendobj\n",
            b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>\nendobj\n",
            b"4 0 obj\n<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(packed),
            packed,
            b"\nendstream\nendobj\ntrailer\n<< /Size 5 /Root 1 0 R >>\n%%EOF\n",
        )
    )


async def _pdf_bomb(x: Exchange) -> None:
    await x.reply(pdf_bomb(), content_type="application/pdf")


async def _many_files(x: Exchange) -> None:
    links = "".join(f'<p><a href="./P0202302100{number:06}.pdf">附件{number}.pdf</a></p>' for number in range(300))
    await x.reply(
        render_page(report_title(STRUCK_YEAR), (), f"{STRUCK_YEAR + 1}-02-10", after=f'<div class="fj">{links}</div>')
    )


FILES = (
    Behaviour("page_200_mib", "sends a page of 200 MiB", "page", "too_large", _page_200_mib),
    Behaviour("page_endless", "sends a page without end", "page", "too_large", _page_endless),
    Behaviour("list_200_mib", "sends a list page of 200 MiB", "list", "too_large", _page_200_mib),
    Behaviour("html_deep", "nests the body in 20,000 elements", "page", "source_changed", _deep),
    Behaviour("html_deep_behind", "nests 20,000 elements behind the body", "page", "read", _deep_behind),
    Behaviour("html_one_line", "sends a page of 750 kB as one line", "page", "read", _one_line),
    Behaviour("html_attributes", "gives one element 10,000 attributes", "page", "read", _many_attributes),
    Behaviour("html_attributes_100000", "gives one 100,000", "page", "read", _too_many_attributes),
    Behaviour("html_attributes_short", "gives one 15,000 in a page of 90 kB", "page", "read", _many_in_a_short_page),
    Behaviour("html_beginnings", "marks the beginning of a body 20,000 times", "page", "read", _many_beginnings),
    Behaviour("html_cut_off", "breaks off in its body, at its stated length", "page", "transient", _cut_off),
    Behaviour("html_cut_off_when_known", "does so with a page that was whole", "page", "transient", _cut_off, night=2),
    Behaviour("html_hidden_body", "hides another body before its own", "page", "read", _hidden_body),
    Behaviour("html_hidden_by_sheet", "hides it by its style sheet", "page", "read", _hidden_body_by_sheet),
    Behaviour("html_struck_out", "strikes out figures beside the true ones", "page", "read", _struck_out),
    Behaviour("html_open_comment", "never closes a comment behind the body", "page", "read", _open_comment),
    Behaviour("html_crossed_tags", "crosses and leaves open 5,000 elements", "page", "read", _many_tags),
    Behaviour("file_is_page", "sends a web page for the attachment", "file", "source_changed", _file_is_page),
    Behaviour(
        "file_is_page_in_disguise",
        "sends a web page and calls it a document",
        "file",
        "web_page",
        _file_is_page_by_name,
    ),
    Behaviour("file_empty", "sends nothing for the attachment", "file", "transient", _file_empty),
    Behaviour("file_200_mib", "sends an attachment of 200 MiB", "file", "too_large", _file_200_mib),
    Behaviour("file_endless", "sends an attachment without end", "file", "too_large", _file_endless),
    Behaviour("file_cut", "cuts the end off a docx", "file", "damaged", _file_cut),
    Behaviour("file_program", "sends a program for the attachment", "file", "unsupported", _file_program),
    Behaviour("file_pdf_bomb", "sends a PDF whose page unpacks to 256 MiB", "file", "too_large", _pdf_bomb),
    Behaviour("files_without_end", "links three hundred attachments that are not there", "page", "gone", _many_files),
    Behaviour("file_called_pdf", "calls a docx a PDF", "file", "read", _file_called_pdf),
    Behaviour("file_packed", "keeps a docx gzipped, and says nothing of it", "file", "read", _file_packed),
    Behaviour("file_json", "answers for the attachment in JSON that it failed", "file", "web_page", _file_json),
    Behaviour("file_markup", "sends a web page that Word saved", "file", "needs_reader", _file_markup),
    Behaviour("file_picture", "sends a picture for the attachment", "file", "needs_ocr", _file_picture),
    Behaviour("file_unseen", "hides figures in a docx, and a deleted row", "file", "read", _file_unseen),
    Behaviour("file_margins", "comments on a docx, and writes into its margins", "file", "read", _file_margins),
    Behaviour("file_pdf_unseen", "draws figures in a PDF that nobody sees", "file", "read", _pdf_unseen),
    Behaviour("file_pdf_twice", "lists the pages of a PDF twice", "file", "read", _pdf_twice),
    Behaviour("file_zip_bomb", "sends a docx whose text unpacks to 80 MiB", "file", "too_large", _file_bomb),
    Behaviour(
        "file_entity_bomb", "defines entities in a docx that grow to 10^9 copies", "file", "damaged", _file_entities
    ),
)
