"""The app's logo, drawn from its name: outlines without a font, so that it looks the same on every machine."""

import hashlib
import math
import re
import struct
import unicodedata
import zlib
from itertools import pairwise
from typing import NamedTuple

SIZE = 320
SMALL = 128
_COLOURS = ("17494d", "1f73b7", "38646b", "5b3a8e", "8a2f4f", "a13d00", "2f6f3e", "4a4f8c")

# Where a pen goes on a grid of 4 by 6: the points of one line by x and y, lines apart by a bar.
_STROKES = {
    "A": "06 20 46|14 34",
    "B": "06 00 30 41 42 33 03|33 44 45 36 06",
    "C": "41 30 10 01 05 16 36 45",
    "D": "00 20 42 44 26 06 00",
    "E": "40 00 06 46|03 33",
    "F": "40 00 06|03 33",
    "G": "41 30 10 01 05 16 36 45 43 23",
    "H": "00 06|40 46|03 43",
    "I": "20 26",
    "J": "40 45 36 16 05",
    "K": "00 06|40 03 46",
    "L": "00 06 46",
    "M": "06 00 23 40 46",
    "N": "06 00 46 40",
    "O": "10 30 41 45 36 16 05 01 10",
    "P": "06 00 30 41 42 33 03",
    "Q": "10 30 41 45 36 16 05 01 10|34 46",
    "R": "06 00 30 41 42 33 03|23 46",
    "S": "41 30 10 01 02 13 33 44 45 36 16 05",
    "T": "00 40|20 26",
    "U": "00 05 16 36 45 40",
    "V": "00 26 40",
    "W": "00 16 23 36 40",
    "X": "00 46|40 06",
    "Y": "00 23 40|23 26",
    "Z": "00 40 06 46",
    "0": "10 30 41 45 36 16 05 01 10|14 32",
    "1": "11 20 26",
    "2": "01 10 30 41 42 06 46",
    "3": "01 10 30 41 42 33 13|33 44 45 36 16 05",
    "4": "36 30 04 44",
    "5": "40 00 03 33 44 45 36 06",
    "6": "41 30 10 01 05 16 36 45 44 33 03",
    "7": "00 40 16",
    "8": "10 30 41 42 33 13 02 01 10|13 04 05 16 36 45 44 33",
    "9": "43 13 02 01 10 30 41 45 36 16 05",
}

_PEN = 16
_CELL = 16
_BUBBLE = (40, 56, 280, 224)
_CORNER = 36
_TAIL = ((92, 210), (92, 274), (160, 210))

Point = tuple[float, float]


class Logo(NamedTuple):
    """What is drawn, in a square of 320 by 320: a speech bubble, and in it the lines of the initials."""

    colour: str
    lines: list[list[Point]]


def logo_of(name: str) -> Logo:
    """Draw the initials of a name; a name without Latin letters and digits gives an empty bubble."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    initials = [word[0].upper() for word in re.findall(r"[A-Za-z0-9]+", plain)][:2]
    colour = _COLOURS[hashlib.sha256(name.encode()).digest()[0] % len(_COLOURS)]
    width = len(initials) * 4 * _CELL + (len(initials) - 1) * 2 * _CELL
    left, top = (SIZE - width) / 2, (_BUBBLE[1] + _BUBBLE[3] - 6 * _CELL) / 2
    lines = [
        [(left + number * 6 * _CELL + int(at[0]) * _CELL, top + int(at[1]) * _CELL) for at in line.split()]
        for number, letter in enumerate(initials)
        for line in _STROKES[letter].split("|")
    ]
    return Logo(colour, lines)


def svg(logo: Logo) -> bytes:
    left, top, right, bottom = _BUBBLE
    tail = "L".join(f"{x} {y}" for x, y in _TAIL)
    pen = "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in line) for line in logo.lines)
    letters = (
        f'<path d="{pen}" fill="none" stroke="#{logo.colour}" stroke-width="{_PEN}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}">'
        f'<path d="M0 0H{SIZE}V{SIZE}H0z" fill="#{logo.colour}"/>'
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" rx="{_CORNER}" fill="#fff"/>'
        f'<path d="M{tail}z" fill="#fff"/>{letters if pen else ""}</svg>\n'
    ).encode()


def png(logo: Logo, size: int) -> bytes:
    """Paint the same as an image, in steps between its two colours. It is not compressed: zlib's versions differ."""
    scale = SIZE / size
    segments = [pair for line in logo.lines for pair in pairwise(line)]
    rows = []
    for row in range(size):
        y = (row + 0.5) * scale
        near = [segment for segment in segments if min(segment[0][1], segment[1][1]) - _PEN < y]
        near = [segment for segment in near if max(segment[0][1], segment[1][1]) + _PEN > y]
        pixels = bytearray(size)
        for column in range(size):
            point = ((column + 0.5) * scale, y)
            white = max(_inside(-_from_bubble(point), scale), _inside(-_from_tail(point), scale))
            if white and near:
                white -= max(_inside(_PEN / 2 - _from_line(point, *ends), scale) for ends in near)
            pixels[column] = round(255 * max(white, 0))
        rows.append(b"\0" + bytes(pixels))
    ink = bytes.fromhex(logo.colour)
    palette = bytes(part + (255 - part) * step // 255 for step in range(256) for part in ink)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, content)
        for kind, content in (
            (b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 3, 0, 0, 0)),
            (b"PLTE", palette),
            (b"IDAT", zlib.compress(b"".join(rows), 0)),
            (b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _inside(depth: float, scale: float) -> float:
    """How much of a pixel is covered whose centre lies so deep inside of a shape."""
    return min(max(depth / scale + 0.5, 0), 1)


def _from_bubble(point: Point) -> float:
    left, top, right, bottom = _BUBBLE
    x = abs(point[0] - (left + right) / 2) - (right - left) / 2 + _CORNER
    y = abs(point[1] - (top + bottom) / 2) - (bottom - top) / 2 + _CORNER
    return math.hypot(max(x, 0), max(y, 0)) + min(max(x, y), 0) - _CORNER


def _from_tail(point: Point) -> float:
    """How far outside of the triangle a point lies, which has its corners anticlockwise."""
    return max(
        ((x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1)) / math.hypot(x2 - x1, y2 - y1)
        for (x1, y1), (x2, y2) in zip(_TAIL, (*_TAIL[1:], _TAIL[0]), strict=True)
    )


def _from_line(point: Point, start: Point, end: Point) -> float:
    x, y = end[0] - start[0], end[1] - start[1]
    along = ((point[0] - start[0]) * x + (point[1] - start[1]) * y) / (x * x + y * y)
    along = min(max(along, 0), 1)
    return math.hypot(point[0] - start[0] - along * x, point[1] - start[1] - along * y)
