// Durable commands a second: what one, ten and fifty visitors get answered who each wait for their answer before they go on.

import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { atEnd, within } from "./ending.mjs";
import { figure, goal, median, milliseconds, number, quantile } from "./table.mjs";

const CLIENTS = [1, 10, 50];
const ROUNDS = 3;
const WARM_MS = 1000;
const LENGTH_MS = 5000;
const TIMES_MORE = 15;
const SYNCS = 60;

/** How long the disk takes to keep a page, again and again: what a commit cannot be faster than. */
function syncTimes(folder) {
  const path = join(folder, "sync");
  const file = openSync(path, "w");
  const page = Buffer.alloc(4096, 1);
  const times = [];
  try {
    for (let index = 0; index < SYNCS; index++) {
      const start = performance.now();
      // Appended, as a write-ahead log is.
      writeSync(file, page);
      fdatasyncSync(file);
      times.push(performance.now() - start);
    }
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
  return times;
}

/** Processor time of a process so far in seconds, where the system tells it (Linux: fields 14 and 15, in hundredths). */
function processorTime(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return NaN;
  }
}

/** Every report that was acknowledged is in the log, once, and the session's numbers have no gap. */
async function check({ address, key }, { session, acknowledged }) {
  let [after, clicked, seq] = [0, 0, 0];
  for (let pages = 0; pages < 1000; pages++) {
    const response = await fetch(`${address}/api/v1/events?session=${session}&after=${after}&limit=500`, { headers: { authorization: `Bearer ${key}` } });
    if (!response.ok) throw new Error(`the log answered ${response.status}`);
    const { events, next } = await response.json();
    for (const event of events) {
      if (event.seq !== ++seq) throw new Error(`session ${session}: event ${event.seq} where ${seq} was expected`);
      clicked += event.type === "widget.clicked" ? 1 : 0;
    }
    if (!events.length || next === after) break;
    after = next;
  }
  if (clicked !== acknowledged) throw new Error(`session ${session}: ${acknowledged} reports were acknowledged, ${clicked} are in the log`);
}

export async function commands({ server, say }) {
  const run = async (clients) => {
    const workerData = { address: server.address, page: "http://localhost:1/", clients, warm: WARM_MS, length: LENGTH_MS };
    const worker = new Worker(new URL("clients.mjs", import.meta.url), { workerData });
    atEnd(() => worker.terminate());
    const done = new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
    return within(WARM_MS + LENGTH_MS + 30_000, `${clients} clients`, done);
  };
  const results = new Map(CLIENTS.map((clients) => [clients, []]));
  const syncs = [];
  for (let round = 1; round <= ROUNDS; round++) {
    for (const clients of CLIENTS) {
      syncs.push(...syncTimes(server.folder));
      const [cpu, clock] = [processorTime(server.pid), performance.now()];
      const done = await run(clients);
      const cores = ((processorTime(server.pid) - cpu) / (performance.now() - clock)) * 1000;
      await check(server, done.visitor);
      results.get(clients).push({ ...done, cores });
      say(`round ${round}, ${clients} clients: ${number(done.perSecond)} a second`);
    }
  }
  const of = (clients, field) => median(results.get(clients).map((result) => result[field]));
  const one = of(1, "perSecond");
  const rows = CLIENTS.map((clients) => {
    const rate = of(clients, "perSecond");
    const times = results.get(clients).flatMap((result) => result.times);
    const each = `${number(rate)} a second; an answer ${milliseconds(median(times))}, 99 of 100 within ${milliseconds(quantile(times, 0.99))}`;
    if (clients === 1) return figure("1 client", each);
    const text = `${each}; ${number(rate / one, 1)} × one client's`;
    return clients === 50 ? goal(`${clients} clients`, text, `≥ ${TIMES_MORE} × one client's`, rate >= TIMES_MORE * one) : figure(`${clients} clients`, text);
  });
  const busy = CLIENTS.map((clients) => `${clients}: ${number(of(clients, "cores"), 2)} and ${number(of(clients, "busy"), 2)}`).join("; ");
  const share = median(syncs) / median(results.get(1).flatMap((result) => result.times));
  return {
    title: `Durable commands (${ROUNDS} rounds by turns, medians)`,
    rows: [
      ...rows,
      figure("write and fdatasync of 4 KiB on the same disk", `${milliseconds(median(syncs), 2)}, 99 of 100 within ${milliseconds(quantile(syncs, 0.99))}`),
      figure("cores in use by the server and by the clients", busy),
    ],
    // Where a sync costs little, there is little that clients could share.
    notes: [`Of the time one client waits for an answer, a sync of this disk is about ${number(share * 100)} %: only that part can fifty clients share.`],
  };
}
