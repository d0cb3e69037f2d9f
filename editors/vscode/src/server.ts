/** Where the server's program is. */

import * as fs from "node:fs/promises";
import * as path from "node:path";
import * as vscode from "vscode";

const PROGRAM = process.platform === "win32" ? "cert-lsp.exe" : "cert-lsp";

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

/** Look at the setting, which stands alone where it is set, then on the PATH, then beside the selected Python. */
export async function findServer(): Promise<Search> {
  const set = vscode.workspace.getConfiguration("certLsp").get<string | null>("path");
  if (set) {
    const file = set.replace(/^~(?=[/\\])/, process.env["HOME"] ?? process.env["USERPROFILE"] ?? "~");
    return (await isProgram(file)) ? { program: file, places: [] } : { places: [`${file} (the setting certLsp.path)`] };
  }
  const places = ["the PATH"];
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter(Boolean);
  const python = await selectedPython();
  if (python) {
    // An environment may be named by its folder or by its Python.
    folders.push(path.dirname(python), path.join(python, process.platform === "win32" ? "Scripts" : "bin"));
    places.push(`beside the selected Python (${python})`);
  }
  for (const folder of folders) {
    const file = path.join(folder, PROGRAM);
    if (await isProgram(file)) {
      return { program: file, places };
    }
  }
  return { places };
}

/** Say that there is no server, what follows from it and what to do about it. */
export async function explainMissing(places: string[]): Promise<void> {
  const message =
    `CERT-LSP: the program cert-lsp was not found; looked at ${places.join(" and ")}. There will be no completions. ` +
    "Install it with `pip install 'cert-lsp[cpu]'` in your Python environment, or set certLsp.path.";
  const choice = await vscode.window.showErrorMessage(message, "Open Setting", "Select Python", "Try Again");
  if (choice === "Open Setting") {
    await vscode.commands.executeCommand("workbench.action.openSettings", "certLsp.path");
  } else if (choice === "Select Python") {
    await vscode.commands.executeCommand("python.setInterpreter");
  } else if (choice === "Try Again") {
    await vscode.commands.executeCommand("certLsp.restart");
  }
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
