"""Tables of PDF and OFD pages: rows as lines, cells apart, in the shape that the extraction reads."""

from __future__ import annotations

from itertools import pairwise

import pytest

from connectors.attachments.formats import read_bytes
from extraction.textmap import find_source
from tests.connectors.attachment_files import draw, draw_grid, ofd, path_object, pdf, set_cells, set_lines, text_object

XS, TOP = (80, 240, 340, 440), 600
YS = (600, 570, 540, 510)
ROWS = [["执法类别", "件数", "占比"], ["行政处罚", "1208", "62.5%"], ["行政许可", "725", "37.5%"]]
WANTED = ["执法类别 | 件数 | 占比", "行政处罚 | 1208 | 62.5%", "行政许可 | 725 | 37.5%"]
ABOVE = set_lines(["云溪区行政执法情况统计表如下所示"], top=700)
BELOW = set_lines(["全年共办理行政复议案件一百二十件整"], top=400)


def boxes() -> str:
    """Each cell as a rectangle of its own, as some programs draw tables."""
    return "\n".join(f"{x0} {y1} {x1 - x0} {y0 - y1} re S" for x0, x1 in pairwise(XS) for y0, y1 in pairwise(YS))


def bars() -> str:
    """Lines as thin filled rectangles, as Word writes them."""
    level = [f"{XS[0]} {y} {XS[-1] - XS[0]} 0.5 re f" for y in YS]
    return "\n".join([*level, *(f"{x} {YS[-1]} 0.5 {YS[0] - YS[-1]} re f" for x in XS)])


@pytest.mark.parametrize("drawn", [draw_grid(XS, YS), boxes(), bars()], ids=["lines", "boxes", "bars"])
def test_a_table_with_drawn_lines(drawn: str) -> None:
    got = read_bytes(pdf([[*ABOVE, *set_cells(ROWS, XS, TOP), *BELOW]], drawn=drawn), "a.pdf")
    assert got.text.split("\n") == [ABOVE[0][3], *WANTED, BELOW[0][3]]
    assert find_source(got.segments, got.text.index("725")) is not None
    assert find_source(got.segments, got.text.index("|")) is None


def test_lines_inside_a_placed_form_are_lines_of_the_page() -> None:
    half = " ".join(f"{word}" for word in ("q", "0.5 0 0 0.5 0 0 cm"))
    doubled = draw_grid([2 * x for x in XS], [2 * y for y in YS])
    got = read_bytes(pdf([set_cells(ROWS, XS, TOP)], drawn=f"{half}\n{doubled}\nQ"), "a.pdf")
    assert got.text.split("\n") == WANTED


def test_a_table_whose_sides_are_open() -> None:
    drawn = draw(*((XS[0], y, XS[-1], y) for y in YS), *((x, YS[0], x, YS[-1]) for x in XS[1:-1]))
    assert read_bytes(pdf([set_cells(ROWS, XS, TOP)], drawn=drawn), "a.pdf").text.split("\n") == WANTED


def test_merged_cells_stand_once() -> None:
    """A header over two columns, and a name over two rows: as in Word documents, the place below stays empty."""
    level = [(80.0, 600.0, 440.0, 600.0), (240.0, 570.0, 440.0, 570.0), (80.0, 540.0, 440.0, 540.0)]
    upright = [(80.0, 600.0, 80.0, 510.0), (240.0, 600.0, 240.0, 510.0), (340.0, 570.0, 340.0, 510.0)]
    drawn = draw(*level, (80, 510, 440, 510), *upright, (440, 600, 440, 510))
    texts = set_cells([["类别", "案件数", ""], ["", "收案", "结案"], ["复议", "31", "29"]], XS, TOP)
    got = read_bytes(pdf([texts], drawn=drawn), "a.pdf")
    assert got.text.split("\n") == ["类别 | 案件数", " | 收案 | 结案", "复议 | 31 | 29"]


def test_the_lines_of_a_cell_are_one_piece() -> None:
    texts = [
        (84.0, 588.0, 10.0, "行政复议案件"),
        (84.0, 574.0, 10.0, "受理数"),
        *set_cells([["", "120", "件"]], XS, TOP),
    ]
    got = read_bytes(pdf([[*texts, *set_cells(ROWS[1:], XS, TOP - 30)]], drawn=draw_grid(XS, YS)), "a.pdf")
    assert got.text.split("\n")[0] == "行政复议案件受理数 | 120 | 件"


def test_cells_are_told_by_their_place_not_by_the_order_of_the_file() -> None:
    texts = set_cells(ROWS, XS, TOP)
    by_column = [text for x in XS[:-1] for text in texts if text[0] == x + 4]
    assert read_bytes(pdf([by_column], drawn=draw_grid(XS, YS)), "a.pdf").text.split("\n") == WANTED


def test_a_table_on_a_page_that_is_turned() -> None:
    """Wide tables stand on pages that are turned by a quarter, whose letters are drawn along its height."""
    cells = set_cells(ROWS, XS, TOP)
    ops = [
        f"BT /F {size} Tf 0 1 -1 0 {595 - y} {x} Tm <{t.encode('utf-16-be').hex()}> Tj ET" for x, y, size, t in cells
    ]
    lines = [(595 - y0, x0, 595 - y1, x1) for x0, y0, x1, y1 in [(XS[0], y, XS[-1], y) for y in YS]]
    lines += [(595 - y0, x0, 595 - y1, x1) for x0, y0, x1, y1 in [(x, YS[0], x, YS[-1]) for x in XS]]
    body = pdf([[]], drawn="\n".join([draw(*lines), *ops]), entries="/Rotate 90")
    assert read_bytes(body, "a.pdf").text.split("\n") == WANTED


def test_a_table_without_drawn_lines() -> None:
    got = read_bytes(pdf([[*ABOVE, *set_cells(ROWS, XS, TOP), *BELOW]]), "a.pdf")
    assert got.text.split("\n") == [ABOVE[0][3], *WANTED, BELOW[0][3]]


@pytest.mark.parametrize(
    "rows",
    [
        [["云溪区人民政府", "", "2024年3月"]],
        [["甲方签字", "", "乙方签字"], ["云溪区司法局", "", "青禾区司法局"]],
        [["全年办理行政复议案件一百二十件审结", "", "九十八件"], ["其中维持六十件纠错率百分之十二点五零", "", "12"]],
    ],
    ids=["one line", "no figures", "long pieces"],
)  # fmt: skip
def test_gaps_alone_make_no_table(rows: list[list[str]]) -> None:
    got = read_bytes(pdf([[*ABOVE, *set_cells(rows, XS, TOP)]]), "a.pdf")
    assert "|" not in got.text


def test_a_frame_around_text_is_no_table() -> None:
    frame = draw_grid((60, 535), (780, 300))
    text = set_lines(["全年共办理行政复议案件一百二十件整", "审结九十八件，其中维持六十件"])
    assert "|" not in read_bytes(pdf([text], drawn=frame + "\n" + draw((60, 720, 535, 720))), "a.pdf").text


def test_what_only_clips_draws_nothing() -> None:
    clipped = "\n".join(f"q {x0} 510 {x1 - x0} 90 re W n Q" for x0, x1 in pairwise(XS))
    texts = set_lines(["全年共办理行政复议案件一百二十件整，审结九", "十八件。"], top=580)
    assert read_bytes(pdf([texts], drawn=clipped), "a.pdf").text == "全年共办理行政复议案件一百二十件整，审结九十八件。"


def test_a_drawing_of_many_lines_is_no_table() -> None:
    grid = draw_grid(range(60, 500), range(100, 800))
    got = read_bytes(pdf([set_lines(["全年共办理行政复议案件一百二十件整"])], drawn=grid), "a.pdf")
    assert got.text == "全年共办理行政复议案件一百二十件整"


def test_a_table_of_an_ofd() -> None:
    xs, ys = (30, 90, 130, 170), (60, 70, 80, 90)
    lines = [*((xs[0], y, xs[-1], y) for y in ys), *((x, ys[0], x, ys[-1]) for x in xs)]
    cells = [
        text_object(xs[column] + 2, ys[n] + 7, text, 4)
        for n, row in enumerate(ROWS)
        for column, text in enumerate(row)
    ]  # fmt: skip
    got = read_bytes(ofd({"P": path_object(*lines) + "".join(cells)}), "a.ofd")
    assert got.text.split("\n") == WANTED
