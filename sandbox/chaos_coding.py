"""Faults of content coding (RFC 9110, 8.4) and of charset."""

from __future__ import annotations

import base64
import codecs
import gzip
import zlib
from functools import cache

from sandbox.chaos_model import Behaviour, Exchange
from sandbox.chaos_portal import STRUCK_YEAR, render_report

_MIB = 1 << 20
_BROTLI = base64.b64decode("z///f/gl8OKxQCD3/p/////wSwDEYQGA7v0/////4ZcAiMMiAN37//z//8cvARCHBQC69/8=")
"""64 MiB of one letter, quality 11."""
_HTML = "text/html; charset=utf-8"
_META = '<meta charset="utf-8">'


@cache
def gzip_member() -> bytes:
    return gzip.compress(b"x" * (8 * _MIB), mtime=0)


@cache
def _deflate_block() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(b"x" * (8 * _MIB)) + packer.flush(zlib.Z_FULL_FLUSH)


def _zstd_bomb() -> bytes:
    """512 MiB in 16 KiB: a frame of blocks that repeat one byte 131,072 times (RFC 8878, 3.1.1.2)."""
    block = ((131_072 << 3) | (1 << 1)).to_bytes(3, "little") + b"x"
    return b"\x28\xb5\x2f\xfd\x00\x38" + block * 4096


async def _coded(x: Exchange, body: bytes, coding: str) -> None:
    await x.reply(body, headers=[("Content-Encoding", coding)])


async def _gzip_bomb(x: Exchange) -> None:
    await _coded(x, gzip_member() * 128, "gzip")


async def _gzip_bomb_streamed(x: Exchange) -> None:
    await x.reply(b"", headers=[("Content-Encoding", "gzip")], length=None)
    while not x.stopping.is_set():
        await x.send(gzip_member())


async def _deflate_bomb(x: Exchange) -> None:
    await _coded(x, b"\x78\x9c" + _deflate_block() * 64, "deflate")


async def _brotli_bomb(x: Exchange) -> None:
    await _coded(x, _BROTLI, "br")


async def _zstd(x: Exchange) -> None:
    await _coded(x, _zstd_bomb(), "zstd")


async def _gzip_in_gzip(x: Exchange) -> None:
    await _coded(x, gzip.compress(gzip_member() * 64), "gzip, gzip")


async def _unknown_coding(x: Exchange) -> None:
    await _coded(x, x.good.body, "x-secret")


async def _gzip_corrupt(x: Exchange) -> None:
    body = bytearray(gzip.compress(x.good.body))
    for place in range(len(body) // 2, len(body) // 2 + 40):
        body[place] ^= 0x5A
    await _coded(x, bytes(body), "gzip")


async def _gzip_bad_sum(x: Exchange) -> None:
    body = gzip.compress(x.good.body)
    await _coded(x, body[:-8] + b"\0\0\0\0" + body[-4:], "gzip")


async def _gzip_cut(x: Exchange) -> None:
    body = gzip.compress(x.good.body)
    await _coded(x, body[: len(body) // 2], "gzip")


async def _gzip_padded(x: Exchange) -> None:
    await _coded(x, gzip.compress(x.good.body) + b"\0" * 512, "gzip")


async def _gzip_in_parts(x: Exchange) -> None:
    half = len(x.good.body) // 2
    await _coded(x, gzip.compress(x.good.body[:half]) + gzip.compress(x.good.body[half:]), "gzip")


async def _gzip_only_said(x: Exchange) -> None:
    await _coded(x, x.good.body, "gzip")


async def _deflate_raw(x: Exchange) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    await _coded(x, packer.compress(x.good.body) + packer.flush(), "deflate")


async def _first_byte_alone(x: Exchange) -> None:
    body = zlib.compress(x.good.body)
    await x.reply(body[:1], headers=[("Content-Encoding", "deflate")], length=str(len(body)))
    await x.pause(0.02)
    await x.send(body[1:])


def _text(x: Exchange) -> str:
    return x.good.body.decode()


async def _lying_header(x: Exchange) -> None:
    await x.reply(x.good.body, content_type="text/html; charset=ISO-8859-1")


async def _lying_meta(x: Exchange) -> None:
    await x.reply(_text(x).replace(_META, '<meta charset="gb2312">'), content_type="text/html")


async def _gbk(x: Exchange) -> None:
    await x.reply(_text(x).replace(_META, "").encode("gb18030"), content_type="text/html")


async def _gbk_called_utf8(x: Exchange) -> None:
    await x.reply(_text(x).encode("gb18030"), content_type=_HTML)


async def _unknown_charset(x: Exchange) -> None:
    text = _text(x).replace(_META, '<meta charset="klingon-8">')
    await x.reply(text, content_type="text/html; charset=x-user-undefined")


async def _utf16_marked(x: Exchange) -> None:
    await x.reply(codecs.BOM_UTF16_LE + _text(x).encode("utf-16-le"), content_type="text/html")


async def _utf16_bare(x: Exchange) -> None:
    await x.reply(_text(x).encode("utf-16-be"), content_type=_HTML)


async def _half_character(x: Exchange) -> None:
    marker = "[[top]]"
    page = render_report(STRUCK_YEAR, before=f'<div class="top">{marker}</div>').encode()
    await x.reply(page.replace(marker.encode(), "欢迎访问本站".encode()[:-1]))


async def _boms(x: Exchange) -> None:
    mark = codecs.BOM_UTF8
    body = x.good.body.replace(b"<p>", b"<p>" + mark).replace(b"<div", mark + b"<div")
    await x.reply(mark + mark + body)


async def _nul_bytes(x: Exchange) -> None:
    await x.reply(
        x.good.body.replace("行政".encode(), "行".encode() + b"\0\x01" + "政".encode()).replace(b"<p>", b"\0<p>\0")
    )


async def _mixed_charsets(x: Exchange) -> None:
    footer = "主办单位：顽溪县人民政府办公室　地址：解放路一号".encode("gb18030")
    await x.reply(x.good.body.replace(b"</body>", b'<div class="footer">' + footer + b"</div></body>"))


async def _labelled_binary(x: Exchange) -> None:
    await x.reply(x.good.body, content_type="application/octet-stream")


async def _no_label(x: Exchange) -> None:
    await x.reply(x.good.body, content_type=None)


CODING = (
    Behaviour("gzip_bomb", "sends 1 GiB packed into 1 MiB", "page", "too_large", _gzip_bomb),
    Behaviour("gzip_bomb_endless", "sends a gzip bomb without end", "page", "too_large", _gzip_bomb_streamed),
    Behaviour("gzip_bomb_on_list", "sends a gzip bomb for a list page", "list", "too_large", _gzip_bomb),
    Behaviour("deflate_bomb", "sends 512 MiB packed into 512 KiB", "page", "too_large", _deflate_bomb),
    Behaviour("brotli_bomb", "sends 64 MiB as 53 bytes of brotli, not asked for", "page", "failed", _brotli_bomb),
    Behaviour("zstd_bomb", "sends 512 MiB as 16 KiB of zstd, not asked for", "page", "failed", _zstd),
    Behaviour("gzip_in_gzip", "packs a bomb twice", "page", "failed", _gzip_in_gzip),
    Behaviour("coding_unknown", "names a coding that nobody knows", "page", "failed", _unknown_coding),
    Behaviour("gzip_corrupt", "sends gzip with broken bytes in it", "page", "transient", _gzip_corrupt),
    Behaviour("gzip_bad_sum", "sends gzip with a wrong check sum", "page", "transient", _gzip_bad_sum),
    Behaviour("gzip_cut", "sends the first half of a gzip body", "page", "transient", _gzip_cut),
    Behaviour("gzip_padded", "sends gzip with zeros behind it", "page", "read", _gzip_padded),
    Behaviour("gzip_in_parts", "sends gzip as two members", "page", "read", _gzip_in_parts),
    Behaviour("gzip_only_said", "says gzip and sends plain bytes", "page", "read", _gzip_only_said),
    Behaviour("deflate_raw", "sends deflate without its header", "page", "read", _deflate_raw),
    Behaviour("first_byte_alone", "sends the first byte of deflate, then the rest", "page", "read", _first_byte_alone),
    Behaviour("charset_lying_header", "says ISO-8859-1 and sends UTF-8", "page", "read", _lying_header),
    Behaviour("charset_lying_meta", "says gb2312 in a meta tag and sends UTF-8", "page", "read", _lying_meta),
    Behaviour("charset_unknown", "names charsets that nobody knows", "page", "read", _unknown_charset),
    Behaviour("gbk_undeclared", "sends GBK and says nothing of it", "page", "read", _gbk),
    Behaviour("gbk_called_utf8", "sends GBK and calls it UTF-8, twice", "page", "read", _gbk_called_utf8),
    Behaviour("charsets_mixed", "includes a footer in another charset", "page", "read", _mixed_charsets),
    Behaviour("utf16_marked", "sends UTF-16 with its mark, while a meta tag says UTF-8", "page", "read", _utf16_marked),
    Behaviour("utf16_bare", "sends UTF-16 without a mark and calls it UTF-8", "page", "read", _utf16_bare),
    Behaviour("half_character", "includes a header that is cut in half a character", "page", "read", _half_character),
    Behaviour("boms", "puts byte order marks everywhere", "page", "read", _boms),
    Behaviour("nul_bytes", "puts NUL and control bytes into words and between tags", "page", "read", _nul_bytes),
    Behaviour("type_binary", "calls a page application/octet-stream", "page", "read", _labelled_binary),
    Behaviour("type_missing", "sends no Content-Type", "page", "read", _no_label),
)
