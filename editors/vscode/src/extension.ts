/** Starts the server and gives its commands a place in VS Code. What to offer, and when, the server alone decides. */

import * as vscode from "vscode";
import { createClient, type Client } from "./client";
import { explainMissing, findServer } from "./server";
import { SketchView } from "./sketch";
import { StatusItem } from "./status";

let client: Client | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("CERT-LSP", { log: true });
  const status = new StatusItem();

  async function start(): Promise<void> {
    await client?.stop().catch(() => undefined); // one that has crashed cannot stop
    client = undefined;
    const { program, places } = await findServer();
    if (!program) {
      status.show({ state: "error", message: `cert-lsp was not found; looked at ${places.join(" and ")}.` });
      void explainMissing(places);
      return;
    }
    output.info(`Starting ${program}`);
    client = createClient(program, ["serve"], output, (report) => status.show(report));
    try {
      await client.start();
    } catch (error) {
      output.error(String(error));
      status.show({ state: "error", message: String(error) });
    }
  }

  let last = Promise.resolve();
  const restart = () => (last = last.then(start)); // one after the other, whoever asks

  const tell = (command: string) => () => client?.command(command);
  context.subscriptions.push(
    output,
    status,
    new SketchView(() => client),
    vscode.commands.registerCommand("certLsp.restart", restart),
    vscode.commands.registerCommand("certLsp.showOutput", () => output.show()),
    vscode.commands.registerCommand("certLsp.pause", tell("cert.pause")),
    vscode.commands.registerCommand("certLsp.resume", tell("cert.resume")),
    vscode.commands.registerCommand("certLsp.reloadModel", tell("cert.reloadModel")),
    vscode.commands.registerCommand("certLsp.clearFeedback", tell("cert.clearFeedback")),
    vscode.workspace.onDidChangeConfiguration((change) =>
      change.affectsConfiguration("cert.path") ? restart() : undefined,
    ),
    vscode.workspace.onDidGrantWorkspaceTrust(() => (client ? undefined : restart())),
  );
  await restart();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}
