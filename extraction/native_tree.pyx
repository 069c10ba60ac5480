# cython: language_level=3, wraparound=False
"""What engines ask of a page's tree, over libxml2's own nodes: each function here answers as that of the same name in
extraction/nodes.py does, bit for bit. `make fast` compiles it (extraction/native.pxd says what must hold).
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.string cimport strcmp, strcspn, strlen, strncmp, strspn, strstr
from lxml.includes.etreepublic cimport _Element, elementFactory, import_lxml__etree, tailOf, textOf
from lxml.includes.tree cimport XML_CDATA_SECTION_NODE, XML_ELEMENT_NODE, XML_TEXT_NODE, const_xmlChar, xmlAttr, xmlNode

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

import_lxml__etree()


def has_controls(bytes markup not None):
    """Whether any byte is one that extraction/decode.py replaces (`WITHOUT_CONTROLS`)."""
    cdef const unsigned char* data = <const unsigned char*>PyBytes_AS_STRING(markup)
    cdef Py_ssize_t at, end, length = len(markup)
    cdef unsigned char found = 0, byte
    for start in range(0, length, 4096):
        end = min(start + 4096, length)
        for at in range(start, end):  # without a branch, so that the compiler makes it sixteen bytes at once
            byte = data[at]
            found |= ((byte < 32) & (byte != 9) & (byte != 10) & (byte != 13)) | (byte == 127)
        if found:
            return True
    return False


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


def read_attributes(_Element root not None, str tag not None, tuple names not None):
    """Of each element of that tag, in document order, the values of these attributes."""
    cdef xmlNode* top = node_of(root)
    cdef xmlNode* node = top
    cdef bytes tag_name = tag.encode()
    cdef list keys = [name.encode() for name in names]
    cdef list found = []
    cdef const char* wanted = tag_name
    while node is not NULL:
        if is_tag(node, wanted):
            found.append(tuple([value_of(node, PyBytes_AS_STRING(key)) for key in keys]))
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


def find_by_text(_Element root not None, str tag not None, str word not None):
    """The elements of that tag whose own text holds the word, with that text, in document order."""
    cdef xmlNode* top = node_of(root)
    cdef xmlNode* node = top
    cdef bytes tag_name = tag.encode(), word_name = word.encode()
    cdef const char* wanted = tag_name
    cdef const char* sought = word_name
    cdef list found = []
    while node is not NULL:
        if is_tag(node, wanted) and may_hold(node, sought):
            text = textOf(node)
            if text is not None and word in text:
                found.append((elementFactory(root._doc, node), text))
        node = following(node, top, True)
    return found


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
                text = textOf(node)
                is_wanted = text is not None and may_begin(text, one, other, beginnings)
                if is_wanted or (reading == CELL and has_child(node)):
                    found.append((elementFactory(root._doc, node), text, is_wanted, False))
            text = tailOf(node)
            if text is not None and may_begin(text, one, other, beginnings):
                found.append((elementFactory(root._doc, node), text, True, True))
        node = following(node, top, enters)
    return found


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
