/** The connection to the server, made by vscode-languageclient. */

import * as vscode from "vscode";
import {
  CloseAction,
  ExecuteCommandRequest,
  LanguageClient,
  RevealOutputChannelOn,
  type ErrorHandler,
  type LanguageClientOptions,
} from "vscode-languageclient/node";

/** What the server says of itself. */
export interface Report {
  state: "loading" | "ready" | "paused" | "error";
  model?: string | null;
  message?: string | null;
}

export interface Client {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Have the server carry out a command; its errors are shown to the user, and give undefined. */
  command<Result>(name: string, ...args: unknown[]): Promise<Result | undefined>;
  position(position: vscode.Position): unknown;
}

/** The settings that the server reads; the others are the extension's own. */
const SERVER_SETTINGS = ["model", "provider", "threads", "sketch", "candidates", "maxTokens"];

export function createClient(
  program: string,
  output: vscode.LogOutputChannel,
  report: (report: Report) => void,
): Client {
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file", language: "python" },
      { scheme: "untitled", language: "python" },
      { scheme: "vscode-notebook-cell", language: "python" },
    ],
    outputChannel: output,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationOptions: () => serverSettings(),
    synchronize: { configurationSection: "certLsp" },
    errorHandler: sayWhenRestarting(() => client),
    middleware: {
      workspace: {
        configuration: (params) => params.items.map((item) => serverSettings(item.scopeUri)),
      },
    },
  };
  const client = new LanguageClient("certLsp", "CERT-LSP", { command: program, args: ["serve"] }, options);
  client.onNotification("cert/status", report);

  async function command<Result>(name: string, ...args: unknown[]): Promise<Result | undefined> {
    try {
      return (await client.sendRequest(ExecuteCommandRequest.type, { command: name, arguments: args })) as Result;
    } catch (error) {
      void vscode.window.showErrorMessage(`CERT-LSP: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  return {
    start: () => client.start(),
    stop: () => client.dispose(),
    command,
    position: (position) => client.code2ProtocolConverter.asPosition(position),
  };
}

function serverSettings(resource?: string): Record<string, unknown> {
  const settings = vscode.workspace.getConfiguration("certLsp", resource ? vscode.Uri.parse(resource) : undefined);
  return Object.fromEntries(SERVER_SETTINGS.map((name) => [name, settings.get(name)]));
}

/** The library's rule, up to four restarts in three minutes, said aloud. */
function sayWhenRestarting(client: () => LanguageClient): ErrorHandler {
  let rule: ErrorHandler | undefined;
  const handler = (): ErrorHandler => (rule ??= client().createDefaultErrorHandler());
  return {
    error: (error, message, count) => handler().error(error, message, count),
    closed: async () => {
      const result = await handler().closed();
      if (result.action === CloseAction.Restart) {
        void offerOutput("CERT-LSP: the server stopped unexpectedly. It is started again.");
        return { ...result, handled: true };
      }
      void offerOutput(
        "CERT-LSP: the server stopped again and again, so there are no completions now. " +
          "`cert-lsp doctor` in a terminal may say why; then run “CERT-LSP: Restart the Server”.",
      );
      return { ...result, handled: true };
    },
  };
}

async function offerOutput(message: string): Promise<void> {
  if (await vscode.window.showWarningMessage(message, "Show Output")) {
    await vscode.commands.executeCommand("certLsp.showOutput");
  }
}
