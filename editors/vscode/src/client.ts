/** The connection to the server, made by vscode-languageclient. */

import * as vscode from "vscode";
import {
  CloseAction,
  ExecuteCommandRequest,
  LanguageClient,
  LSPErrorCodes,
  ResponseError,
  RevealOutputChannelOn,
  type ErrorHandler,
  type LanguageClientOptions,
} from "vscode-languageclient/node";

/** What the server says of itself; docs/protocol.md in the repository describes it. */
export interface Status {
  state: "loading" | "ready" | "paused" | "error";
  message?: string | null;
  model?: string | null;
}

export interface Client {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Have the server carry out a command; undefined if it could not, and the user was told why. */
  command<Result>(name: string, ...args: unknown[]): Promise<Result | undefined>;
  position(position: vscode.Position): unknown;
}

const SECTION = "cert";
/** The settings that the server reads; the others are the extension's own. */
const SERVER_SETTINGS = ["model", "provider", "threads", "sketch", "candidates", "maxTokens", "feedback"];

export function createClient(
  program: string,
  args: string[],
  output: vscode.LogOutputChannel,
  report: (status: Status) => void,
): Client {
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file", language: "python" },
      { scheme: "untitled", language: "python" },
      { scheme: "vscode-notebook-cell", language: "python" },
    ],
    outputChannel: output,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationOptions: () => settings(),
    errorHandler: sayWhenRestarting(() => client, report),
    middleware: {
      workspace: {
        configuration: ({ items }) =>
          items.map(({ section, scopeUri }) => (section === SECTION ? settings(scopeUri) : null)),
      },
    },
  };
  const client = new LanguageClient("certLsp", "CERT-LSP", { command: program, args }, options);
  client.onNotification("cert/statusChanged", report);

  async function command<Result>(name: string, ...args: unknown[]): Promise<Result | undefined> {
    try {
      return (await client.sendRequest(ExecuteCommandRequest.type, { command: name, arguments: args })) as Result;
    } catch (error) {
      const overtaken = error instanceof ResponseError && error.code === LSPErrorCodes.ContentModified;
      if (!overtaken) {
        void vscode.window.showErrorMessage(`CERT-LSP: ${error instanceof Error ? error.message : String(error)}`);
      }
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

/** What the user has set, for a folder or for all; null where nothing is set, so that the server's default holds. */
function settings(scope?: string | null): Record<string, unknown> {
  const configuration = vscode.workspace.getConfiguration(SECTION, scope ? vscode.Uri.parse(scope) : undefined);
  return Object.fromEntries(
    SERVER_SETTINGS.map((name) => {
      const found = configuration.inspect(name);
      return [name, found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue ?? null];
    }),
  );
}

/** The library's rule, up to four restarts in three minutes, said aloud. */
function sayWhenRestarting(client: () => LanguageClient, report: (status: Status) => void): ErrorHandler {
  let rule: ErrorHandler | undefined;
  const handler = (): ErrorHandler => (rule ??= client().createDefaultErrorHandler());
  return {
    error: (error, message, count) => handler().error(error, message, count),
    closed: async () => {
      const { action } = await handler().closed();
      if (action === CloseAction.Restart) {
        report({ state: "loading", message: "The server stopped and is started again." });
        void offerOutput("CERT-LSP: the server stopped unexpectedly. It is started again.");
      } else {
        const message =
          "The server stopped again and again, so there are no completions now. “cert-lsp doctor” in a terminal " +
          "may say why; then run the command “CERT-LSP: Restart the Server”.";
        report({ state: "error", message });
        void offerOutput(`CERT-LSP: ${message}`);
      }
      return { action, handled: true };
    },
  };
}

async function offerOutput(message: string): Promise<void> {
  if (await vscode.window.showWarningMessage(message, "Show Output")) {
    await vscode.commands.executeCommand("certLsp.showOutput");
  }
}
