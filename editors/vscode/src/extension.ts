/** Starts the server and gives its commands a place in VS Code. What to offer, and when, the server alone decides. */

import * as vscode from "vscode";
import { createClient, type Client } from "./client";
import { explainMissing, findServer, stopShared } from "./server";
import { SketchView } from "./sketch";
import { StatusItem } from "./status";

/** One server for all windows, where there are Unix sockets; else one for each. */
const IS_SHARED = process.platform !== "win32";

let client: Client | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("CERT-LSP", { log: true });
  const status = new StatusItem();
  let explain = (): void => undefined;

  async function start(anew: boolean): Promise<void> {
    status.show({ state: "loading" });
    await client?.stop().catch(() => undefined); // one that has crashed cannot stop
    client = undefined;
    const { program, places } = await findServer();
    if (!program) {
      status.show({ state: "error", message: `cert-lsp was not found; looked at ${places.join(" and ")}.` });
      explain = () => void explainMissing(places, restart);
      explain();
      return;
    }
    if (IS_SHARED && anew) {
      await stopShared(program, output);
    }
    output.info(`Starting ${program}`);
    client = createClient(program, IS_SHARED ? "connect" : "serve", output, (report) => status.show(report));
    await client.start();
  }

  let last = Promise.resolve();
  /** Connect again; `anew` to another server than before. One after the other, whoever asks. */
  const restart = (anew = false) => (last = last.then(() => start(anew)));

  /** The client for a command of the user's; where there is none, the user is told why. */
  function asked(): Client | undefined {
    if (!client) {
      explain();
    }
    return client;
  }

  const tell = (command: string) => () => asked()?.command(command);
  context.subscriptions.push(
    output,
    status,
    new SketchView(asked),
    vscode.commands.registerCommand("certLsp.restart", () => restart(true)),
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
