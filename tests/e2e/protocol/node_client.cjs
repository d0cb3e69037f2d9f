// An independent client: Microsoft's protocol library on Node, which shares no code with the server.
// Usage: NODE_PATH=NODE_MODULES node node_client.cjs COMMAND...   Plays a session and prints one JSON object.

const { spawn } = require("node:child_process");
const lsp = require("vscode-languageserver-protocol/node");

const uri = "file:///flights.py";
const intent = "# \u{1F43C} average delay per carrier";
const text = `import pandas as pd\n\nflights = pd.DataFrame({"carrier": ["AA", "UA"], "delay": [12.5, 3.0]})\n\n${intent}`;
const position = { line: 4, character: intent.length }; // UTF-16, as JavaScript counts

const capabilities = {
  textDocument: { completion: { completionItem: { snippetSupport: true } }, inlineCompletion: {} },
  window: { workDoneProgress: true },
  workspace: { configuration: true },
};

async function main() {
  const [command, ...args] = process.argv.slice(2);
  const server = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => server.on("exit", resolve));
  const connection = lsp.createProtocolConnection(
    new lsp.StreamMessageReader(server.stdout),
    new lsp.StreamMessageWriter(server.stdin),
  );
  const heard = { states: [], progress: [] };
  connection.onRequest(lsp.ConfigurationRequest.type, ({ items }) => items.map(() => ({ candidates: 2 })));
  connection.onRequest(lsp.WorkDoneProgressCreateRequest.type, ({ token }) => {
    connection.onProgress(lsp.WorkDoneProgress.type, token, ({ kind }) => heard.progress.push(kind));
  });
  const ready = new Promise((resolve) =>
    connection.onNotification("cert/statusChanged", ({ state }) => {
      heard.states.push(state);
      if (state === "ready") resolve();
    }),
  );
  connection.listen();

  const initialized = await connection.sendRequest(lsp.InitializeRequest.type, {
    processId: process.pid,
    rootUri: null,
    capabilities,
  });
  await connection.sendNotification(lsp.InitializedNotification.type, {});
  await ready;
  await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, {
    textDocument: { uri, languageId: "python", version: 1, text },
  });
  const here = { textDocument: { uri }, position };
  const run = (name, ...given) =>
    connection.sendRequest(lsp.ExecuteCommandRequest.type, { command: name, arguments: given });

  const context = { triggerKind: lsp.InlineCompletionTriggerKind.Automatic };
  const inline = await connection.sendRequest(lsp.InlineCompletionRequest.type, { ...here, context });
  const popup = await connection.sendRequest(lsp.CompletionRequest.type, here);
  const shown = await run("cert.showSketch", uri, position);
  const followed = await run("cert.completeFromSketch", uri, position, "flights.groupby($string)[$string].median()");
  const status = await connection.sendRequest("cert/status");

  const source = new lsp.CancellationTokenSource();
  const changed = { ...here, position: { line: 2, character: 0 } };
  const cancelled = connection
    .sendRequest("workspace/executeCommand", { command: "cert.reloadModel", arguments: [] }, source.token)
    .then(() => null, (error) => error.code);
  source.cancel();
  const elsewhere = await connection.sendRequest(lsp.InlineCompletionRequest.type, { ...changed, context });

  const result = { initialized, inline, popup, shown, followed, status, elsewhere, cancelled: await cancelled };
  await connection.sendRequest(lsp.ShutdownRequest.type);
  await connection.sendNotification(lsp.ExitNotification.type);
  console.log(JSON.stringify({ ...result, ...heard, code: await ended }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
