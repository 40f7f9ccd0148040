// Chromium without a test tool around it. Playwright watches each page's network and console, and its part of a fetch counts as the
// page's own script; where script time is measured, that would be a sixth of it.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd, within } from "./ending.mjs";

export const EXECUTABLE = "/usr/bin/chromium";

export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  // The host page's name is resolved without asking anybody.
  "--host-resolver-rules=MAP localhost 127.0.0.1",
];

const ANSWER_MS = 20_000;
const STOP_MS = 5_000;

/** Speaks the DevTools protocol over a pipe: JSON, each message ended by a zero. */
class Chrome {
  #child;
  #waiting = new Map();
  #listeners = new Set();
  #last = 0;

  constructor(child) {
    this.#child = child;
    let received = "";
    child.stdio[4].setEncoding("utf8").on("data", (chunk) => {
      const messages = (received + chunk).split("\0");
      received = messages.pop();
      for (const message of messages) this.#take(JSON.parse(message));
    });
  }

  #take({ id, error, result, method, params }) {
    if (!id) return this.#listeners.forEach((listener) => listener(method, params));
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) reject(new Error(error.message));
    else resolve(result);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.#last;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return within(ANSWER_MS, `Chromium to answer ${method}`, answer);
  }

  /** Hears events until the function it returns is called. */
  hear(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A page of a visitor who was never here: a function to command it, and one to leave it. */
  async page() {
    const { browserContextId } = await this.send("Target.createBrowserContext");
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank", browserContextId, width: 1280, height: 720 });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    return {
      send: (method, params) => this.send(method, params, sessionId),
      leave: () => this.send("Target.disposeBrowserContext", { browserContextId }),
    };
  }

  /** Begins a trace; the function it returns ends it and gives its events. */
  async trace(categories) {
    const events = [];
    let done;
    const complete = new Promise((resolve) => (done = resolve));
    const deaf = this.hear((method, params) => {
      if (method === "Tracing.dataCollected") events.push(...params.value);
      if (method === "Tracing.tracingComplete") done();
    });
    await this.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { excludedCategories: ["*"], includedCategories: categories } });
    return async () => {
      await this.send("Tracing.end");
      await within(ANSWER_MS, "the trace", complete);
      deaf();
      return events;
    };
  }
}

/** Starts it; `stop` ends it, at the latest at the end of the run. */
export async function startChrome() {
  const profile = mkdtempSync(join(tmpdir(), "porchlight-bench-chromium-"));
  const parameters = ["--headless", "--remote-debugging-pipe", `--user-data-dir=${profile}`, ...FLAGS, "about:blank"];
  const child = spawn(EXECUTABLE, parameters, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  // What breaks off is told by whoever waits for an answer.
  child.stdio[3].on("error", () => {});
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const chrome = new Chrome(child);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      // It closes its own processes; when it is killed, some stay behind for a moment and write into the folder.
      await within(STOP_MS, "Chromium to close", Promise.all([chrome.send("Browser.close"), ended])).catch(kill);
    }
    process.off("exit", kill);
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  atEnd(stop);
  await chrome.send("Browser.getVersion");
  return { chrome, stop };
}
