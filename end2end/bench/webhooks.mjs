// How long an event takes from its commit to whoever receives webhooks, at a thousand events a second: alone, and beside a hundred
// endpoints that are dead, half of them without anybody there, half with somebody who never answers.
//
// `node end2end/bench/bench.mjs webhooks` runs only this. Visitors report twenty things at once, one visitor after the other. That
// an event was committed is known when the answer to its report is there: that moment is what is counted from. An event may be
// received before that; then its time is negative. All of it is on this machine, by the clock of this machine, on the same cores.

import { randomUUID } from "node:crypto";
import { Worker } from "node:worker_threads";
import { atEnd, wait, within } from "./ending.mjs";
import { makeSite, WELCOME } from "./site.mjs";
import { figure, goal, median, milliseconds, number, quantile } from "./table.mjs";

const SITE = "hooks";
const PAGE = "http://localhost:1/";
const VISITORS = 100;
const REPORTS = 20;
const RATE = 1000;
const WARM_MS = 3000;
const LENGTH_MS = 10_000;
const EACH_MS = 5;
const DEAD = 100;
const ROUNDS = 3;
const WITHIN_MS = 100;
const WORSE = 1.1;
const PATIENCE_MS = 60_000;

/** The moment by a clock that all threads share, in milliseconds. */
const now = () => performance.timeOrigin + performance.now();

/** UUIDv7: its first 48 bits are the time. */
function uuid7(time) {
  const hex = time.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
}

async function post({ address }, path, body) {
  const response = await fetch(address + path, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function call({ address, key }, method, path, body) {
  const response = await fetch(`${address}/api/v1/webhooks${path}`, { method, headers: { authorization: `Bearer ${key}` }, body: body && JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text && JSON.parse(text);
}

async function makeReceiver() {
  const worker = new Worker(new URL("receiver.mjs", import.meta.url));
  atEnd(() => worker.terminate());
  const broken = new Promise((_, reject) => worker.once("error", reject));
  broken.catch(() => {});
  const next = () => within(10_000, "the receiver", Promise.race([new Promise((resolve) => worker.once("message", resolve)), broken]));
  const ports = await next();
  return {
    ports,
    /** What has arrived since this was asked last. */
    async arrived() {
      const answer = next();
      worker.postMessage("arrived");
      return (await answer).arrived;
    },
  };
}

/** Reports so much a second for so long; gives when each event was sent and when its answer was there. */
async function report(server, visitors, length) {
  const events = new Map();
  const requests = [];
  const one = async ({ token, view }) => {
    const sent = now();
    const time = new Date(sent).toISOString();
    const ids = Array.from({ length: REPORTS }, () => uuid7(Math.floor(sent)));
    const reports = ids.map((id) => ({ id, time, type: "widget.clicked", widget: "launcher", element: "porchlight", kind: "Chat" }));
    await post(server, "/widget/v1/events", { token, view, after: null, page: PAGE, reports });
    const answered = now();
    for (const id of ids) events.set(id, { sent, answered });
  };
  const count = (RATE * length) / 1000 / REPORTS;
  const begun = now();
  for (let next = 0; next < count; ) {
    const due = Math.min(count, Math.floor(((now() - begun) * RATE) / 1000 / REPORTS));
    for (; next < due; next++) requests.push(one(visitors[next % visitors.length]));
    await wait(EACH_MS);
  }
  await Promise.all(requests);
  return { events, rate: (events.size / (now() - begun)) * 1000 };
}

/** One round: how long each event took, from its answer and from when it was sent. */
async function round(server, receiver, visitors) {
  const warm = await report(server, visitors, WARM_MS);
  const { events, rate } = await report(server, visitors, LENGTH_MS);
  const first = new Map();
  let all = 0;
  const until = now() + PATIENCE_MS;
  for (;;) {
    for (const [id, at] of await receiver.arrived()) {
      if (events.has(id)) {
        all += 1;
        if (!first.has(id)) first.set(id, at);
      } else warm.events.delete(id);
    }
    if (first.size === events.size && !warm.events.size) break;
    if (now() > until) throw new Error(`${events.size} events were committed, ${first.size} were received`);
    await wait(50);
  }
  const times = [...events].map(([id, { answered }]) => first.get(id) - answered);
  const fromSending = [...events].map(([id, { sent }]) => first.get(id) - sent);
  return { p50: median(times), p99: quantile(times, 0.99), whole: quantile(fromSending, 0.99), rate, duplicates: all - first.size };
}

export async function webhooks({ server, say }) {
  await makeSite(server, SITE, [WELCOME]);
  const receiver = await makeReceiver();
  const { good, silent, closed } = receiver.ports;
  const make = (name, port) => call(server, "POST", "", { site: SITE, name, url: `http://127.0.0.1:${port}/` });
  const live = await make("Live", good);
  const dead = [];
  for (let index = 0; index < DEAD; index++) dead.push(await make(`Dead ${index}`, index % 2 ? silent : closed));
  const visitors = [];
  while (visitors.length < VISITORS) visitors.push(await post(server, "/widget/v1/start", { site: SITE, page: PAGE, token: null, locale: "en" }));
  const results = { alone: [], beside: [] };
  for (let index = 1; index <= ROUNDS; index++) {
    for (const [kind, what] of [["alone", "disable"], ["beside", "enable"]]) {
      // Switched on again, an endpoint has not failed yet, and has all that happened meanwhile before it.
      for (const { id } of dead) await call(server, "POST", `/${id}/${what}`, {});
      await receiver.arrived();
      const result = await round(server, receiver, visitors);
      results[kind].push(result);
      say(`round ${index}, ${kind}: p50 ${milliseconds(result.p50)}, p99 ${milliseconds(result.p99)}, ${number(result.rate)} a second`);
    }
  }
  for (const { id } of [live, ...dead]) await call(server, "DELETE", `/${id}`);

  const of = (kind, field) => median(results[kind].map((result) => result[field]));
  const text = (kind) => `p50 ${milliseconds(of(kind, "p50"))}, p99 ${milliseconds(of(kind, "p99"))} (${number(of(kind, "rate"))} events a second reached)`;
  const worse = of("beside", "p99") / of("alone", "p99");
  const duplicates = [...results.alone, ...results.beside].reduce((sum, result) => sum + result.duplicates, 0);
  return {
    title: `Webhooks at ${number(RATE)} events a second (${ROUNDS} rounds by turns, ${LENGTH_MS / 1000} s each, medians)`,
    rows: [
      goal("from the commit to the receiver, alone", text("alone"), `p99 ≤ ${WITHIN_MS} ms`, of("alone", "p99") <= WITHIN_MS),
      goal(`the same beside ${DEAD} dead endpoints`, text("beside"), `p99 ≤ ${WITHIN_MS} ms`, of("beside", "p99") <= WITHIN_MS),
      goal("p99 beside them, as a multiple of alone", number(worse, 2), `≤ ${number(WORSE, 2)}`, worse <= WORSE),
      figure("from the sending of the report to the receiver, p99", `alone ${milliseconds(of("alone", "whole"))}; beside them ${milliseconds(of("beside", "whole"))}`),
      figure("received twice", number(duplicates)),
    ],
    notes: [`${REPORTS} reports a request, of ${VISITORS} visitors by turns: a session's events are sent one after the other, so the last of each twenty has waited for nineteen.`],
  };
}
