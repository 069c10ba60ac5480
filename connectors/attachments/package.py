"""Zip packages (docx, xlsx, OFD) and the XML in them, read as what strangers wrote.

Nothing is unpacked to disk, and no entry is read before the directory has been judged as a whole: entries, sizes,
ratios, overlaps, names. What an entry states is not believed either: no more is read than it may hold. Packages in
packages stay closed. XML is parsed without entities, DTD or network.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lxml import etree

from connectors.attachments.result import AttachmentText, Unreadable

if TYPE_CHECKING:
    Element = etree._Element

_MAX_ENTRIES = 2_000
_MAX_UNPACKED = 256 << 20
"""Bytes of all entries together; the largest real report with photographs stays below 100 MiB."""
_MAX_PART = 24 << 20
"""Bytes of one XML part: as a tree it takes ten times that. A report of 100 pages has 2 MiB."""
_MAX_RATIO, _RATIO_FROM = 250, 1 << 20
"""Deflate reaches 1,030; repetitive real tables reach 60. Small parts may be as repetitive as they like."""
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DOCTYPES = tuple("<!DOCTYPE".encode(name) for name in ("ascii", "utf-16-le", "utf-16-be"))
_BAD_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class Package:
    """The parts of a zip by name."""

    def __init__(self, body: bytes) -> None:
        """Raises Unreadable for what is damaged, encrypted, or more than a document may be."""
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(body))
        except _BAD_ZIP as error:
            raise Unreadable("damaged", f"damaged zip: {error}") from error
        entries = self._archive.infolist()
        _judge(entries, len(body))
        self.parts = {entry.filename.replace("\\", "/"): entry for entry in entries}
        if len(self.parts) < len(entries):
            raise Unreadable("damaged", "two entries of the zip have one name")

    def read(self, part: str) -> bytes:
        """Raises KeyError where there is no such part, Unreadable where it cannot be read."""
        entry = self.parts[part]
        if entry.file_size > _MAX_PART:
            raise Unreadable("too_large", f"{part} unpacks to {entry.file_size} bytes, the limit is {_MAX_PART}")
        try:
            with self._archive.open(entry) as file:
                return file.read(_MAX_PART)
        except _BAD_ZIP as error:
            raise Unreadable("damaged", f"damaged zip: {error}") from error

    def parse(self, part: str) -> Element:
        """The root of an XML part. Raises as `read` does."""
        return parse_xml(self.read(part), part)

    def parse_parts(self, part: str, kinds: tuple[str, ...]) -> Iterator[Element]:
        """The elements of these kinds in an XML part, each as soon as it ends and only until the next is asked for: a
        sheet of a million empty rows takes no more memory than one. Raises as `read` does."""
        data = self.read(part)
        _refuse_dtd(data, part)
        names = [f"{{*}}{kind}" for kind in kinds]
        found = etree.iterparse(
            io.BytesIO(data), tag=names, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
            remove_comments=True, remove_pis=True,
        )  # fmt: skip
        try:
            for _, node in found:
                yield node
                node.clear()
                while node.getprevious() is not None:
                    del node.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise _to_unreadable(error, found.error_log) from error


def _judge(entries: list[zipfile.ZipInfo], size: int) -> None:
    if not entries:
        raise Unreadable("damaged", "an empty zip")
    if len(entries) > _MAX_ENTRIES:
        raise Unreadable("too_large", f"a zip of {len(entries)} entries, the limit is {_MAX_ENTRIES}")
    unpacked, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if unpacked > _MAX_UNPACKED:
        raise Unreadable("too_large", f"unpacks to {unpacked} bytes, the limit is {_MAX_UNPACKED}")
    if packed > size:
        raise Unreadable("too_large", "the entries of the zip overlap")
    for entry in entries:
        steps = entry.filename.replace("\\", "/").split("/")
        if ".." in steps or steps[0] == "" or steps[0].endswith(":"):
            raise Unreadable("damaged", "an entry's name leads out of the zip")
        if entry.flag_bits & 0x1:
            raise Unreadable("encrypted", "protected by a password")
        if entry.compress_type not in _PACKINGS:
            raise Unreadable("damaged", "packed in a way that no document is")
        if entry.file_size > _RATIO_FROM and entry.file_size > _MAX_RATIO * entry.compress_size:
            raise Unreadable("too_large", f"an entry unpacks to more than {_MAX_RATIO} times its size")


def parse_xml(data: bytes, part: str) -> Element:
    """Without entities, DTD or network. Raises Unreadable."""
    _refuse_dtd(data, part)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _to_unreadable(error, parser.error_log) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("damaged", f"{part} holds a DTD, which no document of its kind does")
    return root


def _to_unreadable(error: etree.XMLSyntaxError, log: etree._ListErrorLog) -> Exception:
    if log.filter_types(etree.ErrorTypes.ERR_NO_MEMORY):
        return MemoryError()
    return Unreadable("damaged", f"damaged XML: {error}")


def _refuse_dtd(data: bytes, part: str) -> None:
    if any(word in data for word in _DOCTYPES):
        raise Unreadable("damaged", f"{part} holds a DTD, which no document of its kind does")


def local(node: Element) -> str:
    """The name without its namespace: transitional and strict files, and the years of OFD, differ in nothing else."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def attribute(node: Element, name: str) -> str:
    """An attribute by its name without namespace; empty where there is none."""
    value = node.get(name)
    if value is not None:
        return str(value)
    return next((str(found) for key, found in node.items() if str(key).endswith(f"}}{name}")), "")


def resolve(base: str, target: str) -> str:
    """The part that `target` names in a part called `base`; one that leads out of the package is in no package."""
    if target.startswith("/"):
        return posixpath.normpath(target.lstrip("/"))
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), target))


def relations(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """Id to type and target of a part's relationships (OPC, ECMA-376 part 2); "" for those of the package."""
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    if path not in package.parts:
        return {}
    found = {}
    for node in package.parse(path):
        if node.get("TargetMode") != "External":
            kind = str(node.get("Type", "")).rpartition("/")[2]
            found[str(node.get("Id"))] = kind, resolve(part, str(node.get("Target", "")))
    return found


def read_package(body: bytes) -> AttachmentText:
    """Whichever document the package is. Raises Unreadable."""
    package = Package(body)
    if "OFD.xml" in package.parts:
        from connectors.attachments.ofd import read_ofd

        return read_ofd(package)
    main = [target for kind, target in relations(package, "").values() if kind == "officeDocument"]
    part = next((part for part in (*main, "word/document.xml", "xl/workbook.xml") if part in package.parts), "")
    if part.endswith(".bin"):
        raise Unreadable("needs_reader", "xlsb: ask the portal for a PDF or xlsx, or convert it by hand")
    if part.startswith("word/"):
        from connectors.attachments.docx import read_docx

        return read_docx(package, part)
    if part.startswith("xl/"):
        from connectors.attachments.xlsx import read_xlsx

        return read_xlsx(package, part)
    raise Unreadable("unsupported", "a zip, but no Word document, spreadsheet or OFD")
