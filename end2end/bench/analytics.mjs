// How soon a year of numbers is there, with few events in the log and with a million: it reads sums, so that should not matter.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { wait } from "./ending.mjs";
import { makeSite } from "./site.mjs";
import { figure, goal, median, milliseconds, number, quantile } from "./table.mjs";

const EVENTS = [10_000, 1_000_000];
const GOAL_MS = 50;
const RUNS = 60;
const SCRIPT = fileURLToPath(new URL("./events.py", import.meta.url));
const WELCOME = { id: "conversation-0", cards: [{ id: "end", card: "end", text: "Goodbye." }] };

async function signIn({ address }) {
  const body = new URLSearchParams({ email: "ada@example.com", password: "porchlight-demo" });
  const answer = await fetch(`${address}/console/sign-in`, { method: "POST", redirect: "manual", headers: { origin: address }, body });
  const cookie = answer.headers.get("set-cookie")?.split(";")[0];
  if (!cookie) throw new Error(`signing in was answered with ${answer.status}`);
  return cookie;
}

const day = (ago) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);

export async function analytics({ server, say }) {
  const cookie = await signIn(server);
  const rows = [];
  for (const count of EVENTS) {
    const site = `analytics-${count}`;
    await makeSite(server, site, [WELCOME]);
    execFileSync("python3", [SCRIPT, `${server.folder}/porchlight.db`, site, String(count), "364"]);
    say(`${number(count)} events are written`);
    // A visit, so that the server looks at its log; then it counts by itself.
    const page = "http://localhost:1/";
    await fetch(`${server.address}/widget/v1/start`, { method: "POST", headers: { origin: page.slice(0, -1) }, body: JSON.stringify({ site, page }) });
    const path = `site=${site}&from=${day(364)}&to=${day(0)}`;
    const ask = async (address, headers) => {
      const began = performance.now();
      const answer = await fetch(server.address + address, { headers });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${address}: ${answer.status} ${text.slice(0, 300)}`);
      return { took: performance.now() - began, text };
    };
    const key = { authorization: `Bearer ${server.key}` };
    const began = performance.now();
    while (JSON.parse((await ask(`/api/v1/analytics?${path}&by=day`, key)).text).countedTo) await wait(200);
    rows.push(figure(`${number(count)} events are counted, once, in`, `${number((performance.now() - began) / 1000, 1)} s`));
    for (const [what, address, headers] of [
      ["the page of a year", `/console/analytics?${path}`, { cookie }],
      ["by page, for programs", `/api/v1/analytics?${path}&by=page`, key],
    ]) {
      const took = [];
      for (let run = 0; run < RUNS; run++) took.push((await ask(address, headers)).took);
      const says = `${milliseconds(median(took))} (95 %: ${milliseconds(quantile(took, 0.95))})`;
      rows.push(goal(`${what}, ${number(count)} events`, says, `≤ ${GOAL_MS} ms`, median(took) <= GOAL_MS));
    }
  }
  return {
    title: `A year of numbers: 20 conversations, 200 pages, 10 agents (${RUNS} times, median)`,
    rows,
    notes: ["Without a scan of the log: sums of 1, 8 and 64 days are kept as events come, so a year is at most 33 sums of each page."],
  };
}
