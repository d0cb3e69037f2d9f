"""What one client's connection holds: its documents, its settings and the model.

Mutable, and touched by the event loop's thread alone. Work in other threads gets a frozen `Snapshot`.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from lsprotocol import types

from cert_lsp.notebooks import script_above
from cert_lsp.offers import Memory
from cert_lsp.positions import body, column_to_index, split_lines, units
from cert_lsp.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cert_lsp.loading import Model


@dataclass(frozen=True, slots=True)
class Snapshot:
    r"""A document and a cursor in it, at one moment, as the engine wants them.

    Attributes:
        uri: The document.
        version: The client's version of the text.
        text: The whole text, lines ended by ``\n``: editors put their own line ends into what they insert.
        offset: The cursor: code points before it in `text`.
        position: The cursor as the client counts, moved into the document where it lay outside.
        encoding: How the client counts columns.
    """

    uri: str
    version: int | None
    text: str
    offset: int
    position: types.Position
    encoding: str


class Document:
    """An open text, kept as lines so that an edit costs what it touches and not the whole text."""

    def __init__(self, text: str, version: int | None) -> None:
        self.lines = split_lines(text)
        self.version = version

    def apply(self, change: types.TextDocumentContentChangeEvent, encoding: str) -> None:
        """Apply one change of a ``textDocument/didChange``, ranges in units of `encoding`."""
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            self.lines = split_lines(change.text)
            return
        start, end = sorted((self.locate(change.range.start, encoding), self.locate(change.range.end, encoding)))
        # An edit can join or part a \r and a \n, so the neighbouring lines are split anew with the touched ones.
        first, last = max(start[0] - 1, 0), end[0] + 2
        before = "".join(self.lines[first : start[0]]) + self.lines[start[0]][: start[1]]
        after = self.lines[end[0]][end[1] :] + "".join(self.lines[end[0] + 1 : last])
        lines = split_lines(before + change.text + after)
        if last < len(self.lines):
            lines.pop()  # the empty line after the last terminator: the document goes on there
        self.lines[first:last] = lines

    def locate(self, position: types.Position, encoding: str) -> tuple[int, int]:
        """Line and code-point index of a position; one outside the document is moved to the nearest inside."""
        if position.line >= len(self.lines):
            return len(self.lines) - 1, len(self.lines[-1])
        return position.line, column_to_index(body(self.lines[position.line]), position.character, encoding)

    def snapshot(self, uri: str, position: types.Position, encoding: str) -> Snapshot:
        """Freeze the text with a cursor at `position`."""
        line, index = self.locate(position, encoding)
        prefix = self.lines[line][:index]
        bodies = [body(each) for each in self.lines]
        return Snapshot(
            uri=uri,
            version=self.version,
            text="\n".join(bodies),
            offset=sum(map(len, islice(bodies, line))) + line + index,
            position=types.Position(line, units(prefix, encoding)),
            encoding=encoding,
        )


@dataclass
class Session:
    """The state of one connection.

    Attributes:
        initial: What held before the client's configuration was read: its ``initializationOptions``.
        settings: What holds outside the workspace's folders.
        folders: What holds within each folder, by its URI without the slash at the end.
        problems: Sentences about settings that were not taken; told are those that the user has seen.
        encoding: The negotiated position encoding.
        model: The model in service; None until the client's configuration is known.
        begun: Whether the client has said ``initialized``.
        configured: Set as soon as `model` is there, which need not be loaded then.
        paused: Whether nothing is to be offered until the user resumes.
        wanted: The choice of model that was last begun to be brought into service.
        questions: How often the client was asked for its configuration.
        documents: Open texts by their URI.
        notebooks: The cells of open notebooks, in order, by the notebook's URI; their texts are among the documents.
        offers: What was offered and accepted in them.
        watches: Tasks that look whether an accepted completion is kept.
        number: Tells this connection from the others of the process.
    """

    initial: Settings = field(default_factory=Settings)
    settings: Settings = field(default_factory=Settings)
    folders: dict[str, Settings] = field(default_factory=dict[str, Settings])
    problems: list[str] = field(default_factory=list[str])
    told: set[str] = field(default_factory=set[str])
    encoding: str = "utf-16"
    model: Model | None = None
    begun: bool = False
    configured: asyncio.Event = field(default_factory=asyncio.Event)
    paused: bool = False
    wanted: object = None
    questions: int = 0
    documents: dict[str, Document] = field(default_factory=dict[str, Document])
    notebooks: dict[str, list[types.NotebookCell]] = field(default_factory=dict[str, "list[types.NotebookCell]"])
    offers: Memory = field(default_factory=Memory)
    watches: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"])
    number: int = field(default_factory=itertools.count(1).__next__)

    def settings_for(self, uri: str) -> Settings:
        """The settings of the innermost workspace folder that holds a document, else those outside of folders."""
        place = self.notebook_of(uri) or uri
        holding = [folder for folder in self.folders if place.startswith(f"{folder}/")]
        return self.folders[max(holding, key=len)] if holding else self.settings

    def open(self, item: types.TextDocumentItem) -> None:
        """Take a document that the client opened."""
        self.documents[item.uri] = Document(item.text, item.version)

    def change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Apply changes in their order; changes of a document that is not open are dropped."""
        self._change(params.text_document, params.content_changes)

    def _change(
        self,
        identifier: types.VersionedTextDocumentIdentifier,
        changes: Sequence[types.TextDocumentContentChangeEvent],
    ) -> None:
        if document := self.documents.get(identifier.uri):
            for change in changes:
                document.apply(change, self.encoding)
            document.version = identifier.version

    def close(self, uri: str) -> None:
        """Forget a document."""
        self.documents.pop(uri, None)
        self.offers.close(uri)

    def open_notebook(self, params: types.DidOpenNotebookDocumentParams) -> None:
        """Take a notebook and the texts of its cells."""
        self.notebooks[params.notebook_document.uri] = list(params.notebook_document.cells)
        for item in params.cell_text_documents:
            self.open(item)

    def change_notebook(self, params: types.DidChangeNotebookDocumentParams) -> None:
        """Apply changes of the order and the texts of cells; those of a notebook that is not open are dropped."""
        cells, changes = self.notebooks.get(params.notebook_document.uri), params.change.cells
        if cells is None or changes is None:
            return
        if structure := changes.structure:
            array = structure.array
            cells[array.start : array.start + array.delete_count] = array.cells or []
            for item in structure.did_open or []:
                self.open(item)
            for identifier in structure.did_close or []:
                self.close(identifier.uri)
        for changed in changes.data or []:
            cells[:] = [changed if each.document == changed.document else each for each in cells]
        for content in changes.text_content or []:
            self._change(content.document, content.changes)

    def close_notebook(self, params: types.DidCloseNotebookDocumentParams) -> None:
        """Forget a notebook and its cells."""
        cells = self.notebooks.pop(params.notebook_document.uri, [])
        for uri in {each.document for each in cells} | {each.uri for each in params.cell_text_documents}:
            self.close(uri)

    def notebook_of(self, uri: str) -> str | None:
        """The notebook that a document is a cell of, if it is."""
        holding = (name for name, cells in self.notebooks.items() if any(each.document == uri for each in cells))
        return next(holding, None)

    def take_snapshot(self, uri: str, position: types.Position) -> Snapshot | None:
        """The document and cursor as they are now, or None when the document is not open.

        A cell's text begins with what it is read with (see `notebooks`); the position remains that in the cell.
        """
        document = self.documents.get(uri)
        if document is None:
            return None
        snapshot = document.snapshot(uri, position, self.encoding)
        if (notebook := self.notebook_of(uri)) is None:
            return snapshot
        cells = self.notebooks[notebook]
        above = cells[: next(index for index, cell in enumerate(cells) if cell.document == uri)]
        code = [self._text(each) for each in above if each.kind is types.NotebookCellKind.Code]
        markdown = self._text(above[-1]) if above and above[-1].kind is types.NotebookCellKind.Markup else ""
        script = script_above(code, markdown)
        return replace(snapshot, text=script + snapshot.text, offset=len(script) + snapshot.offset)

    def _text(self, cell: types.NotebookCell) -> str:
        document = self.documents.get(cell.document)
        return "\n".join(map(body, document.lines)) if document else ""
