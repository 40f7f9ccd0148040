// The real server: the binary, in a folder of its own, on free ports.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** An event as the page hears it and as the server's log holds it. */
export interface PorchlightEvent {
  id: string;
  type: string;
  seq: number | null;
  time: string;
  site: string;
  visitor: string;
  session: string;
  conversation: string | null;
  page: string;
  data: Record<string, unknown>;
}

export interface Porchlight {
  /** Where the server is, without a slash at the end. */
  origin: string;
  /** The demo customer's page. */
  demo: string;
  /** A key of the server's API. */
  key: string;
  /** All the log holds of a session, in the log's order. */
  serverEvents(session: string): Promise<PorchlightEvent[]>;
  /** Runs the binary on this server's data, and gives what it prints. */
  command(...words: string[]): string;
  /** What it has sent by e-mail, in the order it was written. */
  mails(): string[];
  /** Kills the server without a warning, and starts it again on the same data and ports. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const START_WITHIN = 20_000;
/** Small, so that a session takes several pages. */
const LOG_PAGE = 5;

function binary(): string {
  const named = process.env.PORCHLIGHT_BIN;
  if (named) return named;
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const metadata = execFileSync("cargo", ["metadata", "--format-version=1", "--no-deps"], { cwd: root, maxBuffer: 1e8, encoding: "utf8" });
  return join((JSON.parse(metadata) as { target_directory: string }).target_directory, "release/porchlight");
}

/** Reads what the server prints when it is up. */
function addresses(server: ChildProcess): Promise<{ origin: string; demo: string; key: string }> {
  return new Promise((resolve, reject) => {
    let [out, err] = ["", ""];
    const fail = (why: string): void => reject(new Error(`the server ${why}\n${out}\n${err}`));
    const timer = setTimeout(() => fail(`did not start within ${START_WITHIN} ms`), START_WITHIN);
    server.stdout?.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      const find = (line: RegExp): string | undefined => line.exec(out)?.[1];
      const demo = find(/demo customer's page\s+(http:\S+)\n/);
      const origin = find(/\n\s*Porchlight\s+(http:\S+)\n/);
      const key = find(/API key of this run\s+(plk_\S+)\n/);
      if (demo && origin && key) {
        clearTimeout(timer);
        resolve({ demo, origin, key });
      }
    });
    server.stderr?.setEncoding("utf8").on("data", (text: string) => (err += text));
    server.once("error", (error) => fail(`could not be started: ${error.message}`));
    server.once("exit", (code, signal) => fail(`ended with ${code ?? signal}`));
  });
}

/** Starts the server, with more settings if a test needs them. */
export async function startPorchlight(...settings: string[]): Promise<Porchlight> {
  const folder = mkdtempSync(join(tmpdir(), "porchlight-end2end-"));
  const limits = ["--starts-per-minute", "100000", "--commands-per-minute", "100000", "--api-requests-per-minute", "100000"];
  // Settings of whoever runs the tests are none of theirs.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PORCHLIGHT_")));
  const launch = (listen: string, demoListen: string): { server: ChildProcess; ended: Promise<void> } => {
    const flags = ["demo", "--data-dir", folder, "--listen", listen, "--demo-listen", demoListen];
    const server = spawn(binary(), [...flags, ...limits, ...settings], { stdio: ["ignore", "pipe", "pipe"], env });
    return { server, ended: new Promise<void>((resolve) => server.once("close", () => resolve())) };
  };
  let running = launch("127.0.0.1:0", "127.0.0.1:0");
  const kill = (): void => void running.server.kill("SIGKILL");
  process.once("exit", kill);

  const stop = async (): Promise<void> => {
    kill();
    await running.ended;
    process.off("exit", kill);
    rmSync(folder, { recursive: true, force: true });
  };

  let where: Awaited<ReturnType<typeof addresses>>;
  try {
    where = await addresses(running.server);
  } catch (error) {
    if (running.server.pid !== undefined) await stop();
    else rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const { origin, demo } = where;
  const restart = async (): Promise<void> => {
    kill();
    await running.ended;
    running = launch(new URL(origin).host, new URL(demo).host);
    where = await addresses(running.server);
  };

  const serverEvents = async (session: string): Promise<PorchlightEvent[]> => {
    const all: PorchlightEvent[] = [];
    for (let after = ""; ; ) {
      const query = new URLSearchParams({ session, limit: String(LOG_PAGE), after });
      const answer = await fetch(`${origin}/api/v1/events?${query}`, { headers: { authorization: `Bearer ${where.key}` } });
      if (!answer.ok) throw new Error(`the log answers ${answer.status}: ${await answer.text()}`);
      const { events, next } = (await answer.json()) as { events: PorchlightEvent[]; next: string };
      all.push(...events);
      if (events.length < LOG_PAGE) return all;
      after = next;
    }
  };
  const mails = (): string[] => {
    const box = join(folder, "mail");
    return readdirSync(box)
      .sort()
      .map((name) => readFileSync(join(box, name), "utf8"));
  };
  const command = (...words: string[]): string => execFileSync(binary(), [...words, "--data-dir", folder], { env, encoding: "utf8" }).trim();
  return {
    origin,
    demo,
    // Each run of the demo has its own.
    get key() {
      return where.key;
    },
    serverEvents,
    command,
    mails,
    restart,
    stop,
  };
}
