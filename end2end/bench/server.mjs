// Starts and stops the real binary, with a database of its own.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { atEnd, within } from "./ending.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const START_MS = 20_000;
const STOP_MS = 5_000;

function binary() {
  if (process.env.PORCHLIGHT_BIN) return process.env.PORCHLIGHT_BIN;
  const metadata = execFileSync("cargo", ["metadata", "--format-version=1", "--no-deps"], { cwd: root, maxBuffer: 1e8 });
  return join(JSON.parse(metadata).target_directory, "release/porchlight");
}

/** Starts Porchlight, and gives its address and API key. */
export async function startServer() {
  const bin = binary();
  const version = execFileSync(bin, ["--version"]).toString().trim();
  const folder = mkdtempSync(join(tmpdir(), "porchlight-bench-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  atEnd(remove);
  // Limits per visitor are for visitors; here one makes as many requests as it can. A page starts from one address all the time.
  const limits = ["--starts-per-minute", "1000000", "--commands-per-minute", "1000000", "--api-requests-per-minute", "1000000", "--shutdown-grace-seconds", "2", "--chat-limit", "1000", "--sign-ins-per-minute", "1000"];
  // Who receives webhooks is on this machine.
  limits.push("--egress-allow", "127.0.0.1");
  const parameters = ["demo", "--data-dir", folder, "--listen", "127.0.0.1:0", "--demo-listen", "127.0.0.1:0", ...limits];
  // The settings of whoever runs this must not change what is measured.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PORCHLIGHT_")));
  const child = spawn(bin, parameters, { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  // The last resort, for an end that skips the steps.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  atEnd(async () => {
    child.kill("SIGTERM");
    await within(STOP_MS, "the server to stop", ended).catch(kill);
    process.off("exit", kill);
  });

  child.stderr.pipe(process.stderr);
  // Nobody may be waiting for this at the moment when it happens.
  const broken = new Promise((_, reject) => {
    child.once("error", reject);
    ended.then(() => reject(new Error("the server has ended by itself")));
  });
  broken.catch(() => {});
  let said = "";
  const told = new Promise((resolve) => {
    child.stdout.on("data", (chunk) => {
      said += chunk;
      const address = /Porchlight +(http:\S+)/.exec(said)?.[1];
      const key = /API key of this run +(\S+)/.exec(said)?.[1];
      if (address && key) resolve({ address, key });
    });
  });
  const { address, key } = await within(START_MS, "the server to start", Promise.race([told, broken]));
  return { address, key, folder, binary: bin, broken, pid: child.pid, version, build: basename(dirname(bin)) };
}
