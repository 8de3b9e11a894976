"""Delimited rows by the block against the slow way, one record after the other, wherever the blocks are cut."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cargo import delimited
from cargo.rowfile import How, read_row_file
from cargo.texts import Texts, TextsBuilder

CELL = st.text(st.sampled_from('ab",;\n\u00e9\u4e2d '), max_size=6)


def slow(data: bytes) -> tuple[list[tuple[int, list[str]]], int]:
    """(offset, cells) of each record, and blank ones: `csv` is fed one line more until a record ends there."""
    lines, rows, blank, start, offset = data.splitlines(keepends=True), [], 0, 0, 0
    while start < len(lines):
        for end in range(start + 1, len(lines) + 1):
            text = b"".join(lines[start:end]).decode()
            records = list(csv.reader(io.StringIO(text, newline="")))
            if text.count('"') % 2 == 0 or end == len(lines):
                break
        if any(cell.strip() for cell in records[0]):
            rows.append((offset, records[0]))
        else:
            blank += 1
        offset += sum(map(len, lines[start:end]))
        start = end
    return rows, blank


@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=12), st.sampled_from(["\n", "\r\n"]), st.integers(1, 200)
)
def test_rows_offsets_and_bytes_are_those_of_the_slow_way(tmp_path_factory, cells, newline, block):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=newline).writerows([["x", "y", "z"], *cells])
    data = out.getvalue().encode()
    path = tmp_path_factory.mktemp("twin") / "x.csv"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_BLOCK", block)
        file = read_row_file(path, How(separator=","))
    rows, blank = slow(data)
    assert list(zip(file.offset.tolist(), map(list, file.cells()), strict=True)) == rows[1:]
    assert file.counts.get("blank line", 0) == blank and file.row.tolist() == list(range(1, len(rows)))
    for start, line, raw in zip(file.offset.tolist(), file.line.tolist(), file.raw, strict=True):
        assert data[start : start + len(raw)] == raw and data[:start].count(b"\n") == line - 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "cp949"])
@pytest.mark.parametrize("block", [2, 3, 7, 64, 1 << 20])
def test_blocks_may_be_cut_anywhere_in_every_encoding(tmp_path, monkeypatch, encoding, block):
    text = 'x,y\n"\uc2b9\uc6a9\ucc28\n\uc5d0",1\n\n\ub2e4,2\n'
    (tmp_path / "x.csv").write_bytes(text.encode(encoding))
    monkeypatch.setattr(delimited, "_BLOCK", block)
    file = read_row_file(tmp_path / "x.csv", How(encoding=encoding))
    assert list(file.cells()) == [("\uc2b9\uc6a9\ucc28\n\uc5d0", "1"), ("\ub2e4", "2")] and file.line.tolist() == [2, 5]
    data = (tmp_path / "x.csv").read_bytes()
    assert data[int(file.offset[1]) :].decode(encoding) == "\ub2e4,2\n"


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=5), max_size=30), st.integers(1, 4))
def test_a_column_gathered_in_pieces_is_its_texts(pieces, few):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cargo.texts._FEW", few)
        builder = TextsBuilder(2)
        for piece in pieces:
            builder.extend(piece)
        column = builder.finish()
    assert list(column) == ["", "", *(text for piece in pieces for text in piece)]
    assert isinstance(column, Texts) and column.array().tolist() == list(column)
