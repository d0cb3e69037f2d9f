/** Where the server's program is. */

import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";

const [PROGRAM, BIN] = process.platform === "win32" ? ["cert-lsp.exe", "Scripts"] : ["cert-lsp", "bin"];

/** The part of the Python extension's API that is used: https://www.npmjs.com/package/@vscode/python-extension. */
interface PythonApi {
  environments: { getActiveEnvironmentPath(resource?: vscode.Uri): { path: string } };
}

export interface Search {
  /** The program; undefined if it is nowhere. */
  program?: string;
  /** Where it was looked for, for people. */
  places: string[];
}

/**
 * Look at the setting, which stands alone where it is set; else at the workspace's `.venv`, the PATH and the Python
 * that is selected in VS Code, in this order. A workspace that is not trusted names no program.
 */
export async function findServer(): Promise<Search> {
  const set = vscode.workspace.getConfiguration("cert").get<string | null>("path");
  if (set) {
    const file = set.replace(/^~(?=[/\\])/, os.homedir());
    return (await isProgram(file)) ? { program: file, places: [] } : { places: [`${file} (the setting cert.path)`] };
  }
  const places: string[] = [];
  const candidates: string[] = [];
  if (vscode.workspace.isTrusted) {
    const roots = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
    candidates.push(...roots.map(({ uri }) => path.join(uri.fsPath, ".venv", BIN)));
    places.push("the workspace's .venv");
  }
  candidates.push(...(process.env["PATH"] ?? "").split(path.delimiter).filter(Boolean));
  places.push("the PATH");
  const python = await selectedPython();
  if (python) {
    candidates.push(path.dirname(python), path.join(python, BIN)); // named by its Python or by its folder
    places.push(`beside the selected Python (${python})`);
  }
  for (const folder of candidates) {
    const file = path.join(folder, PROGRAM);
    if (await isProgram(file)) {
      return { program: file, places };
    }
  }
  return { places };
}

/** End the server that all windows share, which may hang; the next to connect starts another. */
export async function stopShared(program: string, output: vscode.LogOutputChannel): Promise<void> {
  try {
    output.info((await promisify(execFile)(program, ["stop"])).stdout.trim());
  } catch (error) {
    output.error(String(error));
  }
}

/** Say that there is no server, what follows from it and what to do about it. */
export async function explainMissing(places: string[], tryAgain: () => Promise<void>): Promise<void> {
  const { isTrusted } = vscode.workspace;
  const message =
    `CERT-LSP: the program cert-lsp was not found; looked at ${places.join(" and ")}. There will be no completions. ` +
    (isTrusted ? "Install it" : "VS Code is in Restricted Mode: trust the folder if its .venv has it. Else install it") +
    " into your Python environment, or set cert.path.";
  const trust = { "Manage Trust": () => vscode.commands.executeCommand("workbench.trust.manage") };
  const actions: Record<string, () => Thenable<unknown>> = {
    ...(isTrusted ? {} : trust),
    "How to Install": () =>
      vscode.commands.executeCommand("workbench.action.openWalkthrough", "cert-lsp.cert-lsp#start", false),
    "Open Setting": () => vscode.commands.executeCommand("workbench.action.openSettings", "cert.path"),
    "Try Again": tryAgain,
  };
  const choice = await vscode.window.showErrorMessage(message, ...Object.keys(actions));
  await actions[choice ?? ""]?.();
}

async function selectedPython(): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  const resource = vscode.window.activeTextEditor?.document.uri;
  try {
    return (await extension?.activate())?.environments.getActiveEnvironmentPath(resource).path;
  } catch {
    return undefined; // another extension's fault is no reason to fail
  }
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await fs.access(file, fs.constants.X_OK);
    return (await fs.stat(file)).isFile();
  } catch {
    return false;
  }
}
