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
  const sketches = new SketchView(() => client);

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
    client = createClient(program, output, (report) => status.show(report));
    try {
      await client.start();
    } catch (error) {
      output.error(String(error));
      status.show({ state: "error", message: String(error) });
    }
  }

  const tell = (command: string) => () => client?.command(command);
  context.subscriptions.push(
    output,
    status,
    sketches,
    vscode.commands.registerCommand("certLsp.restart", start),
    vscode.commands.registerCommand("certLsp.showOutput", () => output.show()),
    vscode.commands.registerCommand("certLsp.pause", tell("cert.pause")),
    vscode.commands.registerCommand("certLsp.resume", tell("cert.resume")),
    vscode.commands.registerCommand("certLsp.reloadModel", tell("cert.reloadModel")),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("certLsp.path")) {
        await start();
      }
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}
