# cython: language_level=3, wraparound=False
"""What engines ask of a page's tree, over libxml2's own nodes: each function here answers as that of the same name in
extraction/nodes.py does, bit for bit. `make fast` compiles it (extraction/native.pxd says what must hold).
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.string cimport strcmp, strcspn, strlen, strncmp, strspn, strstr
from lxml.includes.etreepublic cimport _Element, elementFactory, import_lxml__etree, tailOf, textOf
from lxml.includes.tree cimport (
    XML_CDATA_SECTION_NODE,
    XML_COMMENT_NODE,
    XML_ELEMENT_NODE,
    XML_TEXT_NODE,
    const_xmlChar,
    xmlAttr,
    xmlNode,
)

from extraction.native cimport (
    PyUnicode_DATA,
    PyUnicode_FindChar,
    PyUnicode_KIND,
    PyUnicode_READ,
    decoded,
    following,
    is_child,
    is_tag,
    node_of,
    plain_value,
    value_of,
)

from extraction.files import FILE_HINT, SUFFIX_BEGINNINGS
from extraction.nodes import Parts

import_lxml__etree()

cdef object has_file_hint = FILE_HINT.search
cdef bint BEGINS_SUFFIX[128][128]

for one, other in SUFFIX_BEGINNINGS:
    for first in (ord(one.lower()), ord(one.upper())):
        for second in (ord(other.lower()), ord(other.upper())):
            BEGINS_SUFFIX[first][second] = True


cdef str whole_text(xmlNode* top):
    """All text inside an element, as XPath's `string()`."""
    cdef list texts = []
    cdef xmlNode* node = following(top, top, True)
    if node is NULL:
        return ""
    if node.type == XML_TEXT_NODE and node.next is NULL and node.content is not NULL:
        return decoded(node.content)
    while node is not NULL:
        if (node.type == XML_TEXT_NODE or node.type == XML_CDATA_SECTION_NODE) and node.content is not NULL:
            texts.append(decoded(node.content))
        node = following(node, top, True)
    return texts[0] if len(texts) == 1 else "".join(texts)


def read_values(_Element root not None, str tag not None, str name not None):
    """The values of that attribute of the elements of that tag that have it, in document order."""
    cdef xmlNode* top = node_of(root)
    cdef xmlNode* node = top
    cdef bytes tag_name = tag.encode(), key = name.encode()
    cdef list found = []
    cdef str value
    while node is not NULL:
        if is_tag(node, tag_name):
            value = value_of(node, key)
            if value is not None:
                found.append(value)
        node = following(node, top, True)
    return found


cdef bint bears(xmlNode* node, const char* kind, const char* sought) except -1:
    """Whether an attribute is that name, or for classes holds it among others."""
    cdef xmlAttr* attribute = node.properties
    cdef const char* value
    cdef size_t length = strlen(sought), end
    while attribute is not NULL and (attribute.ns is not NULL or strcmp(<const char*>attribute.name, kind) != 0):
        attribute = attribute.next
    if attribute is NULL:
        return False
    value = <const char*>plain_value(attribute)
    if value is NULL:  # in several pieces
        whole = value_of(node, kind).encode()
        value = whole
    if strcmp(kind, "class") != 0:
        return strcmp(value, sought) == 0
    while value[0] != 0:
        value += strspn(value, " \t\r\n")
        end = strcspn(value, " \t\r\n")
        if end == length and strncmp(value, sought, end) == 0:
            return True
        value += end
    return False


def find_named(_Element root not None, str tag not None, tuple names not None):
    """The elements below `root` of that tag, or of any where it is empty, that bear these ids and classes."""
    cdef xmlNode* top = node_of(root)
    cdef xmlNode* node = following(top, top, True)
    cdef bytes tag_name = tag.encode()
    cdef list keys = [(kind.encode(), name.encode()) for kind, name in names]
    cdef list found = []
    cdef const char* wanted = tag_name
    while node is not NULL:
        if is_tag(node, wanted) if wanted[0] else node.type == XML_ELEMENT_NODE:
            for kind, sought in keys:
                if not bears(node, PyBytes_AS_STRING(kind), PyBytes_AS_STRING(sought)):
                    break
            else:
                found.append(elementFactory(root._doc, node))
        node = following(node, top, True)
    return found


cdef inline bint may_hold(xmlNode* node, const char* word) noexcept:
    """False where one text is all that is inside, and the word is not in it."""
    cdef xmlNode* child = node.children
    if child is NULL or child.next is not NULL or child.content is NULL:
        return True
    return strstr(<const char*>child.content, word) is not NULL


def find_links(_Element root not None, str mark not None):
    """The links whose address or label holds `mark`, or that have no label: each with both."""
    cdef xmlNode* top = node_of(root)
    cdef xmlNode* node = top
    cdef list found = []
    while node is not NULL:
        if is_tag(node, "a"):
            href = value_of(node, "href")
            if href:
                label = whole_text(node)
                if mark in href or mark in label or not label or label.isspace():
                    found.append((elementFactory(root._doc, node), href, label))
        node = following(node, top, True)
    return found


cdef bint is_mere_link(xmlNode* link) noexcept:
    """Whether a link is plainly none to a file: no dot in its label, which is one text, and no suffix in its address."""
    cdef xmlAttr* attribute = link.properties
    cdef const unsigned char* text
    cdef bint is_filled = False
    if link.children is NULL or link.children.type != XML_TEXT_NODE or link.children.next is not NULL:
        return False
    text = link.children.content
    while text is not NULL and text[0] != 0:
        if text[0] == c".":
            return False
        is_filled |= 0x20 < text[0] < 0x7F or 0xE4 <= text[0] <= 0xE9  # ASCII that is printed, most of Han
        text += 1
    while attribute is not NULL and (attribute.ns is not NULL or strcmp(<const char*>attribute.name, "href") != 0):
        attribute = attribute.next
    if attribute is NULL:
        return True
    text = plain_value(attribute)
    while text is not NULL and text[0] != 0:
        if text[0] == c"." and text[1] != 0:  # and so there is a second byte to look at, if only the end's
            if text[1] >= 0x80 or text[2] >= 0x80 or BEGINS_SUFFIX[text[1]][text[2]]:
                return False
        text += 1
    return is_filled and text is not NULL


cdef int add_link(list links, _Element root, xmlNode* node) except -1:
    """Add a link where it may lead to a document file."""
    cdef str href, label
    if is_mere_link(node):
        return 0
    href = value_of(node, "href")
    if href:
        label = whole_text(node)
        if "." in label or not label or ("." in href and has_file_hint(href)) or label.isspace():
            links.append((elementFactory(root._doc, node), href, label))
    return 0


def find_parts(_Element root not None):
    """What engines look for all over a page."""
    cdef xmlNode* top = node_of(root)
    cdef xmlNode* node = top
    cdef const char* tag
    cdef list metas = [], scripts = [], sheets = [], links = []
    while node is not NULL:
        if node.type == XML_ELEMENT_NODE and node.ns is NULL:
            tag = <const char*>node.name
            if tag[0] == c"a" and tag[1] == 0:
                add_link(links, root, node)
            elif tag[0] == c"m" and strcmp(tag, "meta") == 0:
                metas.append((value_of(node, "name"), value_of(node, "property"), value_of(node, "content")))
            elif tag[0] == c"s" and strcmp(tag, "style") == 0:
                text = textOf(node)
                if text:
                    sheets.append(text)
            elif tag[0] == c"s" and strcmp(tag, "script") == 0:
                if may_hold(node, "none") or may_hold(node, "document.write"):
                    text = textOf(node)
                    if text is not None and ("none" in text or "document.write" in text):
                        scripts.append((elementFactory(root._doc, node), text))
        node = following(node, top, True)
    return Parts(metas, scripts, sheets, links)


cdef enum Reading:
    READ
    UNREAD
    CLOSED
    CELL

cdef dict READINGS = {"read": READ, "unread": UNREAD, "closed": CLOSED, "cell": CELL}


def find_texts(
    _Element root not None, _Element without, dict kinds not None, tuple marks not None, str beginnings not None
):
    """Texts around a body that may be labels; see the one in Python."""
    cdef xmlNode* node = node_of(root)
    cdef xmlNode* top = node if without is None else NULL  # broken pages have elements behind their root
    cdef xmlNode* skipped = NULL if without is None else node_of(without)
    cdef list found = []
    cdef const_xmlChar* names[64]
    cdef int readings[64]
    cdef int reading
    cdef size_t place
    cdef bint enters, is_wanted
    cdef Py_UCS4 one = marks[0], other = marks[1]
    cdef bytes one_name = marks[0].encode(), other_name = marks[1].encode()
    for place in range(64):
        names[place] = NULL
    while node is not NULL:
        enters = node is not skipped
        if enters and is_child(node):
            reading = UNREAD
            if node.type == XML_ELEMENT_NODE:
                place = (<size_t>node.name >> 3) & 63  # one tree spells a name in one place
                if names[place] is not node.name:
                    names[place], readings[place] = node.name, READINGS[kinds.get(decoded(node.name), "read")]
                reading = readings[place]
            enters = reading != CLOSED
            if reading == READ or reading == CELL:
                is_wanted = False
                if reading == CELL or not is_plainly_none(node.children, one_name, other_name, beginnings):
                    text = textOf(node)
                    is_wanted = text is not None and may_begin(text, one, other, beginnings)
                if is_wanted or (reading == CELL and has_child(node)):
                    found.append((elementFactory(root._doc, node), text, is_wanted, False))
            if not is_plainly_none(node.next, one_name, other_name, beginnings):
                text = tailOf(node)
                if text is not None and may_begin(text, one, other, beginnings):
                    found.append((elementFactory(root._doc, node), text, True, True))
        node = following(node, top, enters)
    return found


cdef bint is_plainly_none(xmlNode* first, const char* one, const char* other, str beginnings) noexcept:
    """Whether the text that begins with this node is plainly not looked for: there is none, or one without any of the
    marks that begins otherwise. What is blank in ways beyond ASCII is not told here."""
    cdef const unsigned char* text
    cdef Py_UCS4 char
    if first is NULL or first.type == XML_ELEMENT_NODE or first.type == XML_COMMENT_NODE:
        return True
    if first.type != XML_TEXT_NODE or first.content is NULL:
        return False
    if first.next is not NULL and first.next.type != XML_ELEMENT_NODE and first.next.type != XML_COMMENT_NODE:
        return False
    text = first.content
    if strstr(<const char*>text, one) is not NULL or strstr(<const char*>text, other) is not NULL:
        return False
    while 9 <= text[0] <= 13 or 28 <= text[0] <= 32:
        text += 1
    if text[0] < 0x80:
        char = text[0]
    elif text[0] >> 4 == 0xE and text[1] >> 6 == 2 and text[2] >> 6 == 2:
        char = (text[0] & 0xF) << 12 | (text[1] & 0x3F) << 6 | text[2] & 0x3F
    else:
        return False
    return char == 0 or not (char.isspace() or PyUnicode_FindChar(beginnings, char, 0, len(beginnings), 1) >= 0)


cdef bint has_child(xmlNode* top) noexcept:
    cdef xmlNode* node = top.children
    while node is not NULL:
        if is_child(node):
            return True
        node = node.next
    return False


cdef bint may_begin(str text, Py_UCS4 one, Py_UCS4 other, str beginnings) except -1:
    """Whether a text of two characters or more holds one of the marks, or begins with one of the beginnings."""
    cdef Py_ssize_t at = 0, length = len(text)
    cdef int kind = PyUnicode_KIND(text)
    cdef void* data = PyUnicode_DATA(text)
    if length < 2:
        return False
    if PyUnicode_FindChar(text, one, 0, length, 1) >= 0 or PyUnicode_FindChar(text, other, 0, length, 1) >= 0:
        return True
    while at < length and PyUnicode_READ(kind, data, at).isspace():
        at += 1
    return at < length and PyUnicode_FindChar(beginnings, PyUnicode_READ(kind, data, at), 0, len(beginnings), 1) >= 0
