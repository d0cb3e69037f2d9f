/**
 * The sketch as a document beside the file: it can be edited, and the code that follows from it stands above it.
 *
 * The document lives in memory under a scheme of its own, and is saved after each change, so that closing it never asks.
 */

import * as vscode from "vscode";
import type { Client } from "./client";

const SKETCH = vscode.Uri.from({ scheme: "cert-sketch", path: "/CERT sketch" });
const PLACEHOLDER =
  /\$(number|float|floatexponant|complex|string|rawstring|interstring|interrawstring|binarystring|unicodestring)\b/g;
const PAUSE_MS = 300; // in typing, after which the code follows

/** One answer of `cert.showSketch` and `cert.completeFromSketch`. */
interface Candidate {
  id: string;
  code: string;
  sketch: string;
}

/** Where the shown sketches belong, and which they are. */
interface Shown {
  document: vscode.TextDocument;
  version: number;
  position: vscode.Position;
  candidates: Candidate[];
  index: number;
  /** What follows from the text as it is: null if nothing does, undefined while it is being written. */
  answer: Candidate | null | undefined;
}

export class SketchView implements vscode.FileSystemProvider, vscode.CodeLensProvider {
  private readonly subscriptions: vscode.Disposable[] = [];
  private readonly lensesChanged = new vscode.EventEmitter<void>();
  private readonly filesChanged = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  private readonly placeholder = vscode.window.createTextEditorDecorationType({
    backgroundColor: new vscode.ThemeColor("certLsp.placeholder"),
    borderRadius: "3px",
  });
  readonly onDidChangeCodeLenses = this.lensesChanged.event;
  readonly onDidChangeFile = this.filesChanged.event;

  private content = new Uint8Array();
  private changed = Date.now();
  private shown: Shown | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly client: () => Client | undefined) {
    this.subscriptions.push(
      this.lensesChanged,
      this.filesChanged,
      this.placeholder,
      vscode.workspace.registerFileSystemProvider(SKETCH.scheme, this, { isCaseSensitive: true }),
      vscode.languages.registerCodeLensProvider({ scheme: SKETCH.scheme }, this),
      vscode.workspace.onDidChangeTextDocument(({ document }) => isSketch(document) && this.follow(document)),
      vscode.window.onDidChangeVisibleTextEditors(() => this.highlight()),
      vscode.commands.registerCommand("certLsp.showSketch", () => this.show()),
      vscode.commands.registerCommand("certLsp.completeFromSketch", () => this.complete()),
      vscode.commands.registerCommand("certLsp.nextSketch", () => this.turn(1)),
      vscode.commands.registerCommand("certLsp.previousSketch", () => this.turn(-1)),
    );
    void closeTabs(); // one from an earlier session belongs to nothing
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.subscriptions.forEach((each) => each.dispose());
  }

  /** Ask for the sketches at the cursor and open the best. */
  private async show(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const client = this.client();
    if (!editor || !client || isSketch(editor.document)) {
      return;
    }
    const { document } = editor;
    const position = editor.selection.active;
    const { version } = document;
    const answer = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Window, title: "CERT-LSP: writing sketches" },
      () =>
        client.command<{ candidates: Candidate[] }>(
          "cert.showSketch",
          document.uri.toString(),
          client.position(position),
        ),
    );
    const candidates = answer?.candidates ?? [];
    if (!candidates[0]) {
      if (answer) {
        void vscode.window.showInformationMessage(
          "CERT-LSP: there is no sketch here. Put the cursor at the end of a comment that says what you want.",
        );
      }
      return;
    }
    this.shown = { document, version, position, candidates, index: 0, answer: candidates[0] };
    const sketch = await vscode.workspace.openTextDocument(SKETCH);
    await vscode.window.showTextDocument(sketch, { viewColumn: vscode.ViewColumn.Beside, preview: true });
    await this.write(candidates[0].sketch);
  }

  /** Show another of the sketches. */
  private async turn(step: number): Promise<void> {
    if (this.shown) {
      const { candidates, index } = this.shown;
      this.shown.index = (index + step + candidates.length) % candidates.length;
      await this.write(candidates[this.shown.index]?.sketch ?? "");
    }
  }

  /** Put the code that follows from the sketch where the sketch was asked for. */
  private async complete(): Promise<void> {
    const shown = this.shown;
    if (!shown?.answer) {
      return;
    }
    const { id, code } = shown.answer;
    if (shown.document.version !== shown.version) {
      void vscode.window.showWarningMessage(
        "CERT-LSP: the file has changed since, so the code was not put into it. Show the sketch again there.",
      );
      return;
    }
    const edit = new vscode.WorkspaceEdit();
    edit.insert(shown.document.uri, shown.position, code);
    this.shown = undefined;
    await closeTabs();
    if (await vscode.workspace.applyEdit(edit)) {
      await this.client()?.command("cert.accepted", id);
    }
  }

  private async write(text: string): Promise<void> {
    const document = await vscode.workspace.openTextDocument(SKETCH);
    const edit = new vscode.WorkspaceEdit();
    edit.replace(SKETCH, new vscode.Range(0, 0, document.lineCount, 0), text);
    await vscode.workspace.applyEdit(edit);
    this.follow(document); // also where the text stayed the same, and nothing told of a change
  }

  /** After a change of the text: have its code written, once the user pauses. */
  private follow(document: vscode.TextDocument): void {
    this.highlight();
    const shown = this.shown;
    if (!shown) {
      return;
    }
    clearTimeout(this.timer);
    const text = document.getText();
    const known = shown.candidates[shown.index];
    shown.answer = known?.sketch === text ? known : undefined;
    this.lensesChanged.fire();
    this.timer = setTimeout(async () => {
      await document.save();
      if (shown.answer !== undefined) {
        return;
      }
      const client = this.client();
      const answer = await client?.command<{ candidates: Candidate[] }>(
        "cert.completeFromSketch",
        shown.document.uri.toString(),
        client.position(shown.position),
        text,
      );
      if (this.shown === shown && document.getText() === text) {
        shown.answer = answer?.candidates[0] ?? null;
        this.lensesChanged.fire();
      }
    }, PAUSE_MS);
  }

  private highlight(): void {
    for (const editor of vscode.window.visibleTextEditors.filter((each) => isSketch(each.document))) {
      const { document } = editor;
      const ranges = [...document.getText().matchAll(PLACEHOLDER)].map(
        (found) =>
          new vscode.Range(document.positionAt(found.index), document.positionAt(found.index + found[0].length)),
      );
      editor.setDecorations(this.placeholder, ranges);
    }
  }

  provideCodeLenses(): vscode.CodeLens[] {
    if (!this.shown) {
      return [];
    }
    const { answer, candidates, index } = this.shown;
    const code = answer?.code.trim();
    const top = new vscode.Range(0, 0, 0, 0);
    const follows =
      answer === undefined
        ? { title: "$(loading~spin) writing the code", command: "" }
        : !code
          ? { title: "no code follows from this sketch", command: "" }
          : {
              title: `$(check) ${code.replace(/\n\s*/g, " ⏎ ")}`,
              tooltip: `Put this into the file:\n${code}`,
              command: "certLsp.completeFromSketch",
            };
    const title = `sketch ${index + 1} of ${candidates.length}: next`; // first, because a long line of code is cut off
    const pages = candidates.length > 1 ? [{ title, command: "certLsp.nextSketch" }] : [];
    return [...pages, follows].map((command) => new vscode.CodeLens(top, command));
  }

  // A file system of one file.

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  stat(uri: vscode.Uri): vscode.FileStat {
    if (uri.path !== SKETCH.path) {
      throw vscode.FileSystemError.FileNotFound(uri);
    }
    return { type: vscode.FileType.File, ctime: 0, mtime: this.changed, size: this.content.length };
  }

  readFile(): Uint8Array {
    return this.content;
  }

  writeFile(_uri: vscode.Uri, content: Uint8Array): void {
    this.content = new Uint8Array(content);
    this.changed = Date.now();
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }
}

function isSketch(document: vscode.TextDocument): boolean {
  return document.uri.scheme === SKETCH.scheme;
}

async function closeTabs(): Promise<void> {
  const tabs = vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .filter(({ input }) => input instanceof vscode.TabInputText && input.uri.scheme === SKETCH.scheme);
  await vscode.window.tabGroups.close(tabs);
}
