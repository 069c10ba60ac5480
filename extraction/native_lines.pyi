from lxml.html import HtmlElement

from extraction.judging import Judge
from extraction.textmap import Line, Segment

def read_lines(judge: Judge, node: HtmlElement) -> list[Line]: ...
def lay_out(lines: list[Line]) -> tuple[str, tuple[Segment, ...]]: ...
