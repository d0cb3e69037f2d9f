/** The item in the status bar: is the model there, is the server paused, and what went wrong. */

import * as vscode from "vscode";
import type { Status } from "./client";

const LOOKS: Record<Status["state"], { icon: string; says: string; click: string }> = {
  loading: { icon: "loading~spin", says: "starting, the model is being loaded", click: "certLsp.showOutput" },
  ready: { icon: "sparkle", says: "ready; click to pause", click: "certLsp.pause" },
  paused: { icon: "debug-pause", says: "paused; click to resume", click: "certLsp.resume" },
  error: { icon: "warning", says: "there are no completions; click for the output", click: "certLsp.showOutput" },
};

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("certLsp", vscode.StatusBarAlignment.Right, 100);

  constructor() {
    this.item.name = "CERT-LSP";
    this.show({ state: "loading" });
    this.item.show();
  }

  show(status: Status): void {
    const { icon, says, click } = LOOKS[status.state];
    this.item.text = `$(${icon}) CERT`;
    this.item.tooltip = [`CERT-LSP: ${says}`, status.model && `Model: ${status.model}`, status.message]
      .filter(Boolean)
      .join("\n");
    this.item.accessibilityInformation = { label: `CERT-LSP: ${says}` };
    this.item.command = click;
    this.item.backgroundColor =
      status.state === "error" ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
  }

  dispose(): void {
    this.item.dispose();
  }
}
