"""What Neovim draws, kept as a grid of cells and rendered as SVG.

Speaks the part of Neovim's UI protocol (``:help ui-linegrid``) that one window needs. Wide characters and the cursor's
shape are left out.
"""

from dataclasses import dataclass, field
from html import escape
from itertools import groupby

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE, MARGIN = 8.4, 18, 14, 12  # pixels


@dataclass(frozen=True)
class Cell:
    """One character with its colours, as ``#rrggbb``."""

    text: str
    foreground: str
    background: str
    italic: bool = False


@dataclass
class Screen:
    """The grid; `apply` takes the arguments of one ``redraw`` notification."""

    width: int = 0
    height: int = 0
    cursor: tuple[int, int] = (0, 0)
    foreground: int = 0xFFFFFF
    background: int = 0
    cells: list[list[tuple[str, int]]] = field(default_factory=list)
    highlights: dict[int, dict[str, object]] = field(default_factory=dict)

    def apply(self, batches: list[list]) -> None:
        for name, *calls in batches:
            handler = getattr(self, f"_{name}", None)
            if handler is not None:
                for arguments in calls:
                    handler(*arguments)

    def text(self) -> str:
        """The characters, one line a row, without trailing space."""
        return "\n".join("".join(text for text, _ in row).rstrip() for row in self.cells)

    def snapshot(self) -> list[list[Cell]]:
        """The grid with its colours resolved."""
        return [[self._cell(text, highlight) for text, highlight in row] for row in self.cells]

    def _cell(self, text: str, highlight: int) -> Cell:
        attributes = self.highlights.get(highlight, {})
        colors = [
            attributes.get("foreground", self.foreground),
            attributes.get("background", self.background),
        ]
        if attributes.get("reverse"):
            colors.reverse()
        return Cell(text, f"#{colors[0]:06x}", f"#{colors[1]:06x}", bool(attributes.get("italic")))

    # The events, named as the protocol names them.

    def _grid_resize(self, _grid: int, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._grid_clear(_grid)

    def _grid_clear(self, _grid: int) -> None:
        self.cells = [[(" ", 0)] * self.width for _ in range(self.height)]

    def _grid_cursor_goto(self, _grid: int, row: int, column: int) -> None:
        self.cursor = (row, column)

    def _default_colors_set(self, foreground: int, background: int, *_: object) -> None:
        self.foreground, self.background = foreground, background

    def _hl_attr_define(self, number: int, attributes: dict[str, object], *_: object) -> None:
        self.highlights[number] = attributes

    def _grid_line(self, _grid: int, row: int, column: int, cells: list[list], *_: object) -> None:
        highlight = 0
        for cell in cells:
            text, *rest = cell
            highlight = rest[0] if rest else highlight
            for _ in range(rest[1] if len(rest) > 1 else 1):
                self.cells[row][column] = (text, highlight)
                column += 1

    def _grid_scroll(self, _grid: int, top: int, bottom: int, left: int, right: int, rows: int, *_: object) -> None:
        # Rows move up by `rows` (down if negative): copy in the order that overwrites no row before it is read.
        region = range(top, bottom - rows) if rows > 0 else range(bottom - 1, top - rows - 1, -1)
        for row in region:
            self.cells[row][left:right] = self.cells[row + rows][left:right]


def render_svg(frames: list[tuple[list[list[Cell]], float]], title: str) -> str:
    """Draw grids one after the other, for ever.

    Args:
        frames: Grids of one size, each with the seconds that it is shown. Where SVG does not move, the frame shown
            longest is seen.
        title: Says what is seen, for those who cannot see it.
    """
    rows, columns = len(frames[0][0]), len(frames[0][0][0])
    width, height = columns * CELL_WIDTH + 2 * MARGIN, rows * CELL_HEIGHT + 2 * MARGIN
    total = sum(seconds for _, seconds in frames)
    longest = max(range(len(frames)), key=lambda each: frames[each][1])
    background = frames[0][0][-1][-1].background
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{background}"/>',
        f'<g font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="{FONT_SIZE}"'
        ' xml:space="preserve">',
    ]
    start = 0.0
    for index, (grid, seconds) in enumerate(frames):
        parts.append(f'<g visibility="{"visible" if index == longest else "hidden"}">')
        if len(frames) > 1:
            parts.append(_visible(start / total, (start + seconds) / total, total))
        parts += [_row(number, row, background) for number, row in enumerate(grid)]
        parts.append("</g>")
        start += seconds
    return "\n".join([*filter(None, parts), "</g>", "</svg>", ""])


def _visible(start: float, end: float, total: float) -> str:
    """An animation that shows its group from `start` to `end`, both as shares of `total` seconds."""
    times, values = ["0"], ["visible" if start == 0 else "hidden"]
    for time, value in [(start, "visible"), (end, "hidden")]:
        if 0 < time < 1:
            times.append(f"{time:.4f}")
            values.append(value)
    return (
        f'<animate attributeName="visibility" calcMode="discrete" dur="{total:g}s" repeatCount="indefinite"'
        f' keyTimes="{";".join(times)}" values="{";".join(values)}"/>'
    )


def _row(number: int, row: list[Cell], background: str) -> str:
    """One line: runs of equal colour, each stretched to its cells whatever the viewer's font is."""
    parts, column = [], 0
    top = MARGIN + number * CELL_HEIGHT
    for style, run in groupby(row, key=lambda cell: (cell.foreground, cell.background, cell.italic)):
        text = "".join(cell.text for cell in run)
        foreground, behind, italic = style
        left, span = MARGIN + column * CELL_WIDTH, len(text) * CELL_WIDTH
        column += len(text)
        if behind != background:
            parts.append(f'<rect x="{left:g}" y="{top:g}" width="{span:g}" height="{CELL_HEIGHT}" fill="{behind}"/>')
        shown = text.rstrip()
        if shown:
            indent = len(shown) - len(shown.lstrip())
            left, shown = left + indent * CELL_WIDTH, shown.lstrip()
            slant = ' font-style="italic"' if italic else ""
            parts.append(
                f'<text x="{left:g}" y="{top + CELL_HEIGHT - 5:g}" textLength="{len(shown) * CELL_WIDTH:g}"'
                f' lengthAdjust="spacingAndGlyphs" fill="{foreground}"{slant}>{escape(shown)}</text>'
            )
    return "\n".join(parts)
