# cython: language_level=3, wraparound=False
"""The walk over a body, over libxml2's own nodes: lines and their map, as extraction/reading.py and
extraction/textmap.py make them, bit for bit. What a tag, a style or a character means is asked of the Python modules,
once for each spelling. `make fast` compiles it (extraction/native.pxd says what must hold).
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.dict cimport PyDict_GetItem
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_SET_ITEM
from cpython.unicode cimport PyUnicode_DecodeASCII
from lxml.includes.etreepublic cimport _Document, _Element, elementFactory, import_lxml__etree, tailOf, textOf
from lxml.includes.tree cimport XML_ELEMENT_NODE, const_xmlChar, xmlAttr, xmlNode

from extraction.native cimport (
    PyType_GenericAlloc,
    PyTypeObject,
    PyUnicode_DATA,
    PyUnicode_KIND,
    PyUnicode_READ,
    following,
    is_child,
    is_tag,
    node_of,
    plain_value,
    value_of,
)

from extraction.judging import CLOSER_LOOK, MOST_TAGS, State
from extraction.textmap import Line, Run, kind_of

import_lxml__etree()

cdef unsigned char KINDS[0x110000]
"""What each character is to a line, as `kind_of` has said; 0 for one that no page has had so far."""

cdef enum Kind:
    NARROW = 1
    WIDE = 2
    UNSEEN = 3
    BLANK = 4
    LINE_BREAK = 5
    HARD_BLANK = 6

cdef enum Gap:
    NO_GAP = 0
    SOFT_GAP = 1
    HARD_GAP = 2


cdef inline int kind_at(int storage, void* data, Py_ssize_t at) except -1:
    cdef Py_UCS4 char = PyUnicode_READ(storage, data, at)
    return KINDS[char] if KINDS[char] else learn(char)


cdef int learn(Py_UCS4 char) except -1:
    KINDS[char] = kind_of(chr(char))
    return KINDS[char]


class ReadLine(Line):
    """A line whose text is known already."""

    __slots__ = ("is_linked", "text")

    def has_link(self):
        return self.is_linked


cdef object make_line(list parts, str text, bint is_linked):
    line = ReadLine(parts)
    line.text = text
    line.is_linked = is_linked
    return line


cdef inline void put(object run, Py_ssize_t at, object item):
    Py_INCREF(item)
    PyTuple_SET_ITEM(run, at, item)


cdef object make_run(str text, str node, Py_ssize_t offset, bint is_link, bint is_file):
    """A Run, made as `tuple.__new__` makes it."""
    run = PyType_GenericAlloc(<PyTypeObject*>Run, 5)
    put(run, 0, text)
    put(run, 1, node)
    put(run, 2, offset)
    put(run, 3, is_link)
    put(run, 4, is_file)
    return run


cdef inline bint are_wide(str before, str after) except -1:
    """Whether the last character of a text and the first of the next are both wide."""
    cdef Py_ssize_t last = len(before) - 1
    return (kind_at(PyUnicode_KIND(before), PyUnicode_DATA(before), last) == WIDE
            and kind_at(PyUnicode_KIND(after), PyUnicode_DATA(after), 0) == WIDE)


cdef str merge_plain(list lines):
    """One text of a cell's lines: `merge_lines` of plain ones."""
    cdef list texts = []
    cdef str text, last = None
    for text in lines:
        if last is not None and not are_wide(last, text):
            texts.append(" ")
        texts.append(text)
        last = text
    return "".join(texts)


cdef object join_row(list cells):
    """One line of a row's cells: `join_cells` of `merge_lines`."""
    cdef list parts = [], texts = []
    cdef bint is_linked = False
    cdef str text, last
    for index, lines in enumerate(cells):
        if index:
            parts.append(" | ")
            texts.append(" | ")
        last = None
        for line in lines:
            text = line.text
            if last is not None and not are_wide(last, text):
                parts.append(" ")
                texts.append(" ")
            parts += line.parts
            texts.append(text)
            is_linked |= line.is_linked
            last = text
    return make_line(parts, "".join(texts), is_linked)


def lay_out(list lines not None):
    """The text of all lines and its map."""
    cdef list texts = [], segments = []
    cdef Py_ssize_t position = 0, end, offset, last_start = 0, last_end = -1, last_offset = 0
    cdef str piece, node, last_node = ""
    for line in lines:
        if texts:
            position += 1
        texts.append(line.text)
        for part in line.parts:
            if type(part) is str:
                position += len(<str>part)
                continue
            piece, node, offset = (<tuple>part)[0], (<tuple>part)[1], (<tuple>part)[2]
            end = position + len(piece)
            if position != last_end or offset != last_offset + position - last_start or node != last_node:
                if last_end >= 0:
                    segments.append((last_start, last_end, last_node, last_offset))
                last_start, last_node, last_offset = position, node, offset
            position = last_end = end
    if last_end >= 0:
        segments.append((last_start, last_end, last_node, last_offset))
    return "\n".join(texts), tuple(segments)


# ----------------------------------------------------------------------------------------------------------- the walk

cdef enum Role:
    INLINE
    BLOCK
    ROW
    SKIP
    BREAK
    LOOK

cdef dict ROLES = {"inline": INLINE, "block": BLOCK, "tr": ROW, "skip": SKIP, "break": BREAK, CLOSER_LOOK: LOOK}

cdef enum Bits:
    IS_LINK = 1
    IS_FILE = 2
    IS_INVISIBLE = 4
    IS_PRE = 8

cdef list STATES = [
    State(bool(bits & IS_LINK), bool(bits & IS_FILE), bool(bits & IS_INVISIBLE), bool(bits & IS_PRE))
    for bits in range(16)
]
cdef dict BITS = {state: bits for bits, state in enumerate(STATES)}

cdef dict LEARNED = {}
"""What tags mean, by their spelling, on pages that hide no name."""

cdef enum:
    LONGEST = 300  # bytes of a tag's spelling, at most

cdef struct Frame:  # an element whose inside is being read
    xmlNode* node
    Py_ssize_t index  # of the child that is being read
    int state
    int role
    bint is_layout


cdef bytes spell_tag(xmlNode* node):
    """An element's name and attributes as one key; None where they are long, or more than names and plain values."""
    cdef char key[LONGEST]
    cdef Py_ssize_t end = write(key, 0, node.name)
    cdef xmlAttr* attribute = node.properties
    cdef const_xmlChar* value
    if node.ns is not NULL:
        return None
    while attribute is not NULL and end >= 0:
        if attribute.ns is not NULL:
            return None
        value = plain_value(attribute)
        if value is NULL:
            return None
        end = write(key, write(key, end, attribute.name), value)
        attribute = attribute.next
    return None if end < 0 else PyBytes_FromStringAndSize(key, end)


cdef inline Py_ssize_t write(char* key, Py_ssize_t end, const_xmlChar* text) noexcept:
    """Append a text and its end mark to a key of `LONGEST` bytes; the new end, or -1 where it has no room."""
    if end < 0:
        return -1
    while text[0] != 0:
        if end >= LONGEST - 1:
            return -1
        key[end] = <char>text[0]
        end += 1
        text += 1
    if end >= LONGEST:
        return -1
    key[end] = 0
    return end + 1


cdef bint nests_tables(xmlNode* top) noexcept:
    """Whether a table begins after a row has."""
    cdef bint has_row = False
    cdef xmlNode* node = top
    while node is not NULL:
        has_row = has_row or is_tag(node, "tr")
        if has_row and is_tag(node, "table"):
            return True
        node = following(node, top, True)
    return False


cdef bint holds_table(xmlNode* top) noexcept:
    cdef xmlNode* node = top
    while node is not NULL:
        if is_tag(node, "table"):
            return True
        node = following(node, top, True)
    return False


cdef class Walk:
    """One walk over a body's tree: the elements that are open are `frames`, the rows among them have their cells."""

    cdef object judge
    cdef _Document document
    cdef dict roles
    cdef bint nests_tables
    cdef bint is_plain, is_left  # texts alone are wanted; the body turned out to hold more than these
    cdef Frame* frames
    cdef Py_ssize_t depth, room
    cdef list rows, lines, parts, texts
    cdef int last, gap  # the kind of the last character of the line, and the blank that is due after it
    cdef bint is_linked
    cdef str name  # of the text that is being added, once it is asked for
    cdef Py_ssize_t steps
    cdef bint is_tail
    cdef char* name_buffer
    cdef Py_ssize_t name_room

    def __cinit__(self, judge, _Element root not None, bint is_plain):
        self.judge, self.document, self.is_plain = judge, root._doc, is_plain
        self.roles = {} if judge.hidden_names else LEARNED
        self.rows, self.lines, self.parts, self.texts = [], [], [], []

    def __dealloc__(self):
        PyMem_Free(self.frames)
        PyMem_Free(self.name_buffer)

    cdef int run(self, xmlNode* top) except -1:
        cdef xmlNode* node
        self.nests_tables = nests_tables(top)
        node = self.open(top, INLINE, 0)
        while True:
            while node is not NULL and not is_child(node):
                node = node.next
            if node is not NULL and self.enter(node):
                node = node.children
                continue
            if self.is_left:
                return 0
            if node is NULL:
                node = self.close()
                if self.depth == 0:
                    break
            self.leave(node)
            node = node.next
        self.end_line()
        return 0

    cdef int enter(self, xmlNode* node) except -1:
        """Meet a child of the open element; whether it is open now."""
        cdef Frame* frame = &self.frames[self.depth - 1]
        cdef int state = frame.state
        cdef int role = self.role_of(node, state)
        frame.index += 1
        if frame.role == ROW:
            self.lines = []
            if self.nests_tables and role != SKIP and not frame.is_layout:
                frame.is_layout = holds_table(node)
        if role == LOOK and self.is_plain:
            self.is_left = True
            return False
        if role == LOOK:
            name = self.spell(self.depth, False)
            word, found = self.judge.look(elementFactory(self.document, node), name, STATES[state])
            role, state = ROLES[word], BITS[found]
        if role == SKIP:
            return False
        if role != INLINE:
            self.end_line()
        if role == BREAK or node.type != XML_ELEMENT_NODE or node.children is NULL:
            return False
        self.open(node, role, state)
        return True

    cdef xmlNode* open(self, xmlNode* node, int role, int state) except? NULL:
        """Begin the inside of an element; returns its first child. The text in a row, outside of its cells, is none."""
        cdef Py_ssize_t room = 2 * self.room + 16
        cdef Frame* frames
        if self.depth == self.room:
            frames = <Frame*>PyMem_Realloc(self.frames, room * sizeof(Frame))
            if frames is NULL:
                raise MemoryError
            self.frames, self.room = frames, room
        self.frames[self.depth] = Frame(node, -1, state, role, False)
        self.depth += 1
        if role == ROW:
            self.rows.append((self.lines, []))
        else:
            self.add_text(textOf(node), state, False)
        return node.children if node.type == XML_ELEMENT_NODE else NULL

    cdef xmlNode* close(self) except NULL:
        """End the inside of the last element that is open; returns it."""
        cdef Frame* frame = &self.frames[self.depth - 1]
        if frame.role == ROW:
            self.close_row(frame.is_layout)
        elif frame.role == BLOCK:
            self.end_line()
        self.depth -= 1
        return frame.node

    cdef int close_row(self, bint is_layout) except -1:
        """A row of one filled cell, or of cells that hold tables, is layout: its lines stay lines."""
        outer, cells = self.rows.pop()
        filled = [lines for lines in cells if lines]
        self.lines = outer
        if is_layout or len(filled) == 1:
            for lines in filled:
                self.lines.extend(lines)
        elif filled and self.is_plain:
            self.lines.append(" | ".join([merge_plain(lines) for lines in cells]))
        elif filled:
            self.lines.append(join_row(cells))
        return 0

    cdef int leave(self, xmlNode* node) except -1:
        """What comes behind a child of the open element: its tail, or in a row the end of a cell."""
        cdef Frame* frame = &self.frames[self.depth - 1]
        if frame.role != ROW:
            return self.add_text(tailOf(node), frame.state, True)
        self.end_line()
        if self.lines or is_tag(node, "td") or is_tag(node, "th"):
            self.rows[len(self.rows) - 1][1].append(self.lines)
        return 0

    cdef int role_of(self, xmlNode* node, int state) except -1:
        cdef int role
        cdef PyObject* known = NULL
        cdef bytes key = spell_tag(node) if node.type == XML_ELEMENT_NODE else None
        if key is not None:
            known = PyDict_GetItem(self.roles, key)
        if known is not NULL:
            role = <object>known
        else:
            role = ROLES[self.judge.judge(elementFactory(self.document, node))]
            if key is not None:
                if len(self.roles) >= MOST_TAGS:
                    self.roles.clear()
                self.roles[key] = role
        if state & IS_INVISIBLE and role != SKIP and role != BREAK:
            return role if value_of(node, "style") is None else LOOK
        return role

    cdef int add_text(self, str text, int state, bint is_tail) except -1:
        """Add a text of the open element, or the tail of its child that was read last."""
        if not text or (text == "\n" and not self.texts):
            return 0
        self.name, self.steps, self.is_tail = None, self.depth if is_tail else self.depth - 1, is_tail
        if state & IS_INVISIBLE:
            self.judge.note_invisible(text, self.spell(self.steps, is_tail))
        elif not state & IS_PRE or "\n" not in text:
            self.add(text, state, 0)
        else:
            done = 0
            for row in text.split("\n"):
                self.add(row, state, done)
                self.end_line()
                done += len(row) + 1
        return 0

    cdef str spell(self, Py_ssize_t steps, bint is_tail):
        """The name of a node: the numbers of the children that lead to it."""
        cdef Py_ssize_t room = 21 * steps + 1, end = room, number
        cdef char* name
        if room > self.name_room:
            name = <char*>PyMem_Realloc(self.name_buffer, 2 * room)
            if name is NULL:
                raise MemoryError
            self.name_buffer, self.name_room = name, 2 * room
        name = self.name_buffer
        if is_tail:
            end -= 1
            name[end] = c"~"
        for step in range(steps - 1, -1, -1):  # from its end, as digits come
            number = self.frames[step].index
            while True:
                end -= 1
                name[end] = <char>(c"0" + number % 10)
                number //= 10
                if number == 0:
                    break
            if step:
                end -= 1
                name[end] = c"."
        return PyUnicode_DecodeASCII(name + end, room - end, NULL)

    cdef int add(self, str text, int state, Py_ssize_t base) except -1:
        """What `LineBuilder.add` does: pieces of characters, and blanks as the gaps between them."""
        cdef int storage = PyUnicode_KIND(text), kind
        cdef void* data = PyUnicode_DATA(text)
        cdef Py_ssize_t at = 0, start, length = len(text)
        cdef bint is_soft, has_break
        while at < length:
            start, kind = at, kind_at(storage, data, at)
            if kind == UNSEEN:
                at += 1
            elif kind <= WIDE:
                self.close_gap(kind)
                while kind <= WIDE:
                    self.last = kind
                    at += 1
                    if at == length:
                        break
                    kind = kind_at(storage, data, at)
                self.add_piece(text if at - start == length else text[start:at], state, base + start)
            else:
                is_soft, has_break = True, False
                while kind >= BLANK:
                    is_soft &= kind != HARD_BLANK
                    has_break |= kind == LINE_BREAK
                    at += 1
                    if at == length:
                        break
                    kind = kind_at(storage, data, at)
                if self.gap != HARD_GAP:
                    self.gap = SOFT_GAP if is_soft and has_break else HARD_GAP
        return 0

    cdef int add_piece(self, str piece, int state, Py_ssize_t offset) except -1:
        self.texts.append(piece)
        if self.is_plain:
            return 0
        if self.name is None:
            self.name = self.spell(self.steps, self.is_tail)
        self.parts.append(make_run(piece, self.name, offset, state & IS_LINK != 0, state & IS_FILE != 0))
        self.is_linked |= state & IS_LINK != 0
        return 0

    cdef int close_gap(self, int following) except -1:
        """A blank with a line break in it vanishes beside a wide character."""
        cdef bint joins = self.gap == SOFT_GAP and (self.last == WIDE or following == WIDE)
        if self.gap != NO_GAP and self.texts and not joins:
            self.texts.append(" ")
            if not self.is_plain:
                self.parts.append(" ")
        self.gap = NO_GAP
        return 0

    cdef int end_line(self) except -1:
        cdef str text
        self.gap = NO_GAP
        if self.texts:
            text = self.texts[0] if len(self.texts) == 1 else "".join(self.texts)
            self.lines.append(text if self.is_plain else make_line(self.parts, text, self.is_linked))
            self.parts, self.texts, self.last, self.is_linked = [], [], 0, False
        return 0


def read_lines(judge, _Element node not None):
    """The lines of a body; see extraction/reading.py."""
    cdef Walk walk = Walk(judge, node, False)
    walk.run(node_of(node))
    return walk.lines


def read_plain(judge, _Element node not None):
    """The texts of these lines where no element asks for a closer look, else None; see extraction/plain.py."""
    cdef Walk walk = Walk(judge, node, True)
    walk.run(node_of(node))
    return None if walk.is_left else walk.lines
