/** The connection to the server, made by vscode-languageclient. */

import * as vscode from "vscode";
import {
  CloseAction,
  ErrorCodes,
  ExecuteCommandRequest,
  LanguageClient,
  LSPErrorCodes,
  ResponseError,
  RevealOutputChannelOn,
  State,
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
  subcommand: "connect" | "serve",
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
    errorHandler: restarting(() => client, report),
    initializationFailedHandler: () => false, // else it is shown as the library finds it
    middleware: {
      workspace: {
        configuration: ({ items }) =>
          items.map(({ section, scopeUri }) => (section === SECTION ? settings(scopeUri) : null)),
      },
    },
  };
  const client = new QuietClient("certLsp", "CERT-LSP", { command: program, args: [subcommand] }, options);
  client.onDidChangeState(({ newState }) => {
    if (newState === State.Starting) {
      report({ state: "loading" });
    } else if (newState === State.StartFailed) {
      giveUp("did not start", report);
    }
  });
  client.onNotification("cert/statusChanged", report);

  async function command<Result>(name: string, ...args: unknown[]): Promise<Result | undefined> {
    try {
      return (await client.sendRequest(ExecuteCommandRequest.type, { command: name, arguments: args })) as Result;
    } catch (error) {
      const toldElsewhere: number[] = [LSPErrorCodes.ContentModified, ErrorCodes.PendingResponseRejected];
      if (!(error instanceof ResponseError && toldElsewhere.includes(error.code))) {
        const reason = client.isRunning()
          ? String(error instanceof Error ? error.message : error)
          : "the server is not running. The command “CERT-LSP: Restart the Server” starts it.";
        void vscode.window.showErrorMessage(`CERT-LSP: ${reason}`);
      }
      return undefined;
    }
  }

  return {
    start: () => client.start().catch(() => undefined), // it has been told
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

/** The library's client, with its own messages in the output alone: ours tell the consequence and the remedy. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** The library's rule, up to four restarts in three minutes, said aloud; one that does not even start is not tried again. */
function restarting(client: () => LanguageClient, report: (status: Status) => void): ErrorHandler {
  let rule: ErrorHandler | undefined;
  const handler = (): ErrorHandler => (rule ??= client().createDefaultErrorHandler());
  return {
    error: (error, message, count) => handler().error(error, message, count),
    closed: async () => {
      if (client().state !== State.Running) {
        return { action: CloseAction.DoNotRestart, handled: true };
      }
      const { action } = await handler().closed();
      if (action === CloseAction.Restart) {
        void offerOutput("CERT-LSP: the server stopped unexpectedly. It is started again.");
      } else {
        giveUp("stopped again and again", report);
      }
      return { action, handled: true };
    },
  };
}

function giveUp(happened: string, report: (status: Status) => void): void {
  const message =
    `The server ${happened}, so there are no completions now. “cert-lsp doctor” in a terminal may say why; ` +
    "then run the command “CERT-LSP: Restart the Server”.";
  report({ state: "error", message });
  void offerOutput(`CERT-LSP: ${message}`);
}

async function offerOutput(message: string): Promise<void> {
  if (await vscode.window.showWarningMessage(message, "Show Output")) {
    await vscode.commands.executeCommand("certLsp.showOutput");
  }
}
