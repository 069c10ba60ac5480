"""What the compiled passes share: libxml2's nodes as lxml counts them.

Pages are hostile, so:

- nothing recurses: what is open is on a heap stack, whatever the depth of the page;
- a node is borrowed from the element that was passed in, and only until the call returns; nothing that is asked on the
  way changes the tree;
- every length is that of the object at hand, and what may be missing (children, values, texts) is looked for first.
"""

from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.string cimport strcmp, strlen
from lxml.includes.etreepublic cimport _Element, attributeValueFromNsName
from lxml.includes.tree cimport (
    XML_COMMENT_NODE,
    XML_ELEMENT_NODE,
    XML_ENTITY_REF_NODE,
    XML_PI_NODE,
    XML_TEXT_NODE,
    const_xmlChar,
    xmlAttr,
    xmlNode,
)


cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        pass
    object PyType_GenericAlloc(PyTypeObject* type, Py_ssize_t items)
    int PyUnicode_KIND(object text)
    void* PyUnicode_DATA(object text)
    Py_UCS4 PyUnicode_READ(int kind, void* data, Py_ssize_t index)
    Py_ssize_t PyUnicode_FindChar(object text, Py_UCS4 char, Py_ssize_t start, Py_ssize_t end, int direction)


cdef inline xmlNode* node_of(_Element element) except NULL:
    if element._c_node is NULL:
        raise ValueError("an element without a node")
    return element._c_node


cdef inline bint is_child(xmlNode* node) noexcept:
    """Whether lxml counts it among the children: an element, a comment, an instruction, a reference."""
    return (node.type == XML_ELEMENT_NODE or node.type == XML_COMMENT_NODE or node.type == XML_PI_NODE
            or node.type == XML_ENTITY_REF_NODE)


cdef inline bint is_tag(xmlNode* node, const char* name) noexcept:
    return node.type == XML_ELEMENT_NODE and node.ns is NULL and strcmp(<const char*>node.name, name) == 0


cdef inline xmlNode* following(xmlNode* node, xmlNode* top, bint enters) noexcept:
    """The next node below `top` in document order, texts too; past the inside of this one unless the walk `enters`."""
    if enters and node.type == XML_ELEMENT_NODE and node.children is not NULL:
        return node.children
    while node is not NULL and node is not top:
        if node.next is not NULL:
            return node.next
        node = node.parent
    return NULL


cdef inline str decoded(const_xmlChar* text):
    return PyUnicode_DecodeUTF8(<const char*>text, strlen(<const char*>text), NULL)


cdef inline const_xmlChar* plain_value(xmlAttr* attribute) noexcept:
    """An attribute's value where it is one text, as parsers make it; NULL for whatever else there may be."""
    if attribute.children is NULL:
        return <const_xmlChar*>""
    if attribute.children.type == XML_TEXT_NODE and attribute.children.next is NULL:
        return attribute.children.content
    return NULL


cdef inline str value_of(xmlNode* node, const char* name):
    """The value of an attribute, or None, as `element.get` gives it."""
    cdef xmlAttr* attribute = node.properties
    cdef const_xmlChar* value
    while attribute is not NULL:
        if strcmp(<const char*>attribute.name, name) == 0:
            value = plain_value(attribute)
            if attribute.ns is NULL and value is not NULL:
                return decoded(value)
            return attributeValueFromNsName(node, NULL, <const_xmlChar*>name)
        attribute = attribute.next
    return None
