# cython: language_level=3, wraparound=False
"""What is asked of a page's bytes: each function here answers as that of the same name in extraction/octets.py does.
`make fast` compiles it. No byte is looked at beyond the length of the object at hand.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.mem cimport PyMem_Free, PyMem_Malloc

from extraction.octets import DELIMITERS, GB_LEADS, GB_TRAILS, MOST_ATTRIBUTES, MOST_DELIMITERS


cdef extern from "string.h":
    void* memchr(const void* data, int byte, size_t size) nogil


cdef extern from "Python.h":
    object PyUnicode_FromKindAndData(int kind, const void* data, Py_ssize_t size)


cdef bint IS_LEAD[256]
cdef bint IS_TRAIL[256]
cdef unsigned short PAIRS[0x10000]
"""What each pair of bytes is in GB 18030; 0 for one that is no character."""

for byte in GB_LEADS:
    IS_LEAD[byte] = True
for byte in GB_TRAILS:
    IS_TRAIL[byte] = True


cdef int learn_pairs() except -1:
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            text = bytes((lead, trail)).decode("gb18030", "replace")
            if trail != 0x7F and len(text) == 1 and text != "\ufffd":
                PAIRS[lead << 8 | trail] = ord(text)
    return 0


def has_controls(bytes body not None):
    """Whether any byte is a control character."""
    cdef const unsigned char* data = <const unsigned char*>PyBytes_AS_STRING(body)
    cdef Py_ssize_t at, end, length = len(body)
    cdef unsigned char found = 0, byte
    for start in range(0, length, 4096):
        end = min(start + 4096, length)
        for at in range(start, end):  # without a branch, so that the compiler makes it sixteen bytes at once
            byte = data[at]
            found |= ((byte < 32) & (byte != 9) & (byte != 10) & (byte != 13)) | (byte == 127)
        if found:
            return True
    return False


cdef inline bint is_blank(unsigned char byte) noexcept:
    return byte == 32 or 9 <= byte <= 13


def has_long_tag(bytes body not None):
    """Whether a tag has more than `MOST_ATTRIBUTES`, in a page that has delimiters enough for thousands."""
    cdef const unsigned char* data = <const unsigned char*>PyBytes_AS_STRING(body)
    cdef const unsigned char* found
    cdef Py_ssize_t at = 0, end, length = len(body), count, most = MOST_ATTRIBUTES
    cdef unsigned char mark
    while True:
        found = <const unsigned char*>memchr(data + at, b"<", length - at)
        if found is NULL or found - data + 1 >= length:
            return False
        at = found - data + 1
        if not b"a" <= data[at] | 32 <= b"z":
            continue
        while at < length and not is_blank(data[at]) and data[at] != b"/" and data[at] != b">":
            at += 1
        count = 0
        while True:
            while at < length and (is_blank(data[at]) or data[at] == b"/"):
                at += 1
            if at == length or data[at] == b">":
                break
            count += 1
            if count > most:
                return length - len(body.translate(None, DELIMITERS)) > MOST_DELIMITERS
            at += 1
            while at < length and not is_blank(data[at]) and data[at] != b"/" and data[at] != b">" and data[at] != b"=":
                at += 1
            end = at
            while end < length and is_blank(data[end]):
                end += 1
            if end == length or data[end] != b"=":
                continue
            at = end + 1
            while at < length and is_blank(data[at]):
                at += 1
            if at == length:
                break
            mark = data[at]
            if mark == b'"' or mark == b"'":
                found = <const unsigned char*>memchr(data + at + 1, mark, length - at - 1)
                if found is not NULL:
                    at = found - data + 1
                continue
            while at < length and not is_blank(data[at]) and data[at] != b">":
                at += 1


def has_marks(str text not None, bytes markup=None):
    """Whether a text holds U+FEFF, U+FFFE or U+FFFF; in UTF-8 EF BB BF, EF BF BE or EF BF BF."""
    cdef const unsigned char* data
    cdef Py_ssize_t at, end, last
    cdef unsigned char found = 0
    if markup is None:
        return "\ufeff" in text or "\ufffe" in text or "\uffff" in text
    data, last = <const unsigned char*>PyBytes_AS_STRING(markup), len(markup) - 2
    for start in range(0, last, 4096):
        end = min(start + 4096, last)
        for at in range(start, end):
            found |= (data[at] == 0xEF) & (
                ((data[at + 1] == 0xBB) & (data[at + 2] == 0xBF)) | ((data[at + 1] == 0xBF) & (data[at + 2] >= 0xBE))
            )
        if found:
            return True
    return False


cdef inline bint is_han(const unsigned char* data) noexcept:
    """Whether three bytes can be a CJK character of UTF-8."""
    return 0xE3 <= data[0] <= 0xE9 and data[1] >> 6 == 2 and data[2] >> 6 == 2


def has_utf8_run(bytes body not None):
    """Whether the bytes of four CJK characters of UTF-8 stand in a row."""
    cdef const unsigned char* data = <const unsigned char*>PyBytes_AS_STRING(body)
    cdef Py_ssize_t at = 0, last = len(body) - 12
    while at <= last:
        if data[at + 11] >> 6 != 2 and not 0xE3 <= data[at + 11] <= 0xE9:
            at += 12  # no run holds this byte
        elif is_han(data + at) and is_han(data + at + 3) and is_han(data + at + 6) and is_han(data + at + 9):
            return True
        else:
            at += 1
    return False


def count_rare_gb(bytes body not None, Py_ssize_t most):
    """Of the bytes beyond ASCII, `most` at most, taken as pairs: how many are rare, and how many there are."""
    cdef const unsigned char* data = <const unsigned char*>PyBytes_AS_STRING(body)
    cdef Py_ssize_t at, count = 0, rare = 0
    for at in range(len(body)):
        if data[at] >= 0x80:
            if count == most:
                break
            rare += not (IS_TRAIL[data[at]] if count & 1 else IS_LEAD[data[at]])
            count += 1
    return rare, count


def read_gb(bytes body not None):
    """The text of GB 18030: of ASCII and pairs here, of anything else as Python reads it."""
    cdef const unsigned char* data = <const unsigned char*>PyBytes_AS_STRING(body)
    cdef Py_ssize_t at = 0, size = 0, length = len(body)
    cdef unsigned short code
    cdef unsigned short* text = <unsigned short*>PyMem_Malloc(2 * length + 2)
    if text is NULL:
        raise MemoryError
    try:
        if PAIRS[0xB0A1] == 0:  # 啊, the first of them: nobody has asked yet
            learn_pairs()
        while at < length:
            code = data[at]
            if code >= 0x80:
                at += 1
                code = PAIRS[code << 8 | data[at]] if at < length else 0
                if code == 0:
                    return body.decode("gb18030", "replace")
            text[size] = code
            size += 1
            at += 1
        return PyUnicode_FromKindAndData(2, text, size)
    finally:
        PyMem_Free(text)
