// Bookings under contention: visitors who all want times of the same few agents, hold one and book it, each waiting for its answer.

import { execFileSync } from "node:child_process";
import { fail } from "node:assert";
import { figure, median, milliseconds, number, quantile } from "./table.mjs";

const CLIENTS = [1, 10, 50];
const LENGTH_MS = 5000;
const PAGE = "http://localhost:1/";
const MEET = {
  id: "meet",
  name: "meet",
  cards: [
    { id: "when", card: "meeting", text: "When?", title: "A talk", notice: 0, horizon: 60, duration: 15 },
    { id: "end", card: "end", text: "See you." },
  ],
};

const hidden = (html) =>
  Object.fromEntries(
    [...html.matchAll(/<input [^>]*type="hidden"[^>]*>/g)].map(([tag]) => [/name="([^"]*)"/.exec(tag)[1], (/value="([^"]*)"/.exec(tag) ?? ["", ""])[1].replaceAll("&amp;", "&")]),
  );
const times = (html) => [...html.matchAll(/name="value" value="([^"]+Z)"/g)].map(([, start]) => start);
const days = (html) => [...html.matchAll(/name="day" value="([^"]+)"/g)].map(([, day]) => day);

export async function booking({ server, say }) {
  const { address } = server;
  const post = (path, fields, json) =>
    fetch(address + path, { method: "POST", headers: { origin: json ? address : PAGE.slice(0, -1), ...(json ? { accept: "application/json" } : {}) }, body: new URLSearchParams(fields) });
  const api = async (method, path, body) => {
    const response = await fetch(`${address}/api/v1/sites/booking${path}`, { method, headers: { authorization: `Bearer ${server.key}` }, body: body && JSON.stringify(body) });
    if (!response.ok) fail(`${method} ${path}: ${response.status} ${await response.text()}`);
  };
  await api("PUT", "", { key: "booking", title: "Shop", origins: ["loopback"], country: "GB" });
  await api("PUT", "/conversations/meet", MEET);
  await api("POST", "/conversations/meet/publish");
  // Agents with hours around the clock: they join as people do, by their link.
  for (let index = 0; index < 5; index++) {
    const words = ["agent", "invite", `meet${index}@example.com`, "--site", "booking", "--data-dir", server.folder];
    const token = execFileSync(server.binary, words, { encoding: "utf8" }).split("#")[1].split("\n")[0].trim();
    const join = await fetch(`${address}/console/join`, { method: "POST", redirect: "manual", headers: { origin: address }, body: new URLSearchParams({ token, name: `Agent ${index}`, password: "correct horse battery" }) });
    const cookie = join.headers.get("set-cookie").split(";")[0];
    const all = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"].map((day) => `${day} 00:00-24:00`).join("\n");
    const saved = await fetch(`${address}/console/availability/meetings`, { method: "POST", redirect: "manual", headers: { origin: address, cookie }, body: new URLSearchParams({ time_zone: "UTC", hours: all }) });
    if (saved.status !== 303) fail(`the hours were answered with ${saved.status}`);
  }
  const rows = [];
  for (const clients of CLIENTS) {
    const [took, until] = [[], performance.now() + LENGTH_MS];
    let [booked, taken] = [0, 0];
    const one = async (number) => {
      for (let round = 0; performance.now() < until; round++) {
        const begun = await (await fetch(`${address}/widget/v1/start`, { method: "POST", headers: { origin: PAGE.slice(0, -1) }, body: JSON.stringify({ site: "booking", page: PAGE }) })).json();
        let html = await (await post("/widget/panel", { token: begun.token, view: begun.view, after: 0, page: PAGE, conversation: "meet", locale: "en", theme: "auto", zone: "UTC" })).text();
        // Everybody wants the first days.
        const day = days(html)[(number + round) % 5];
        html = (await (await post("/widget/v1/answers", { ...hidden(html), zone: "UTC", day }, true)).json()).card;
        const start = times(html)[(number * 7 + round) % Math.max(1, times(html).length)];
        if (!start) continue;
        const began = performance.now();
        const held = await post("/widget/v1/answers", { ...hidden(html), zone: "UTC", value: start }, true);
        const answer = await held.json();
        if (!held.ok) {
          if (answer.code !== "slot_taken") fail(JSON.stringify(answer).slice(0, 300));
          taken += 1;
          continue;
        }
        const done = await post("/widget/v1/answers", { ...hidden(answer.card), guest_name: "Ada", guest_email: "ada@example.com" }, true);
        if (!done.ok) fail((await done.text()).slice(0, 300));
        took.push(performance.now() - began);
        booked += 1;
      }
    };
    await Promise.all(Array.from({ length: clients }, (_, number) => one(number)));
    say(`${clients} clients: ${booked} booked, ${taken} told that somebody was faster`);
    const rate = booked / (LENGTH_MS / 1000);
    const text = `${number(rate)} bookings a second; from the press to "booked" ${milliseconds(median(took))}, 99 of 100 within ${milliseconds(quantile(took, 0.99))}; ${number(taken)} times somebody was faster`;
    rows.push(figure(`${clients} ${clients === 1 ? "visitor" : "visitors at once"}`, text));
  }
  return {
    title: `Bookings under contention (five agents, ${LENGTH_MS / 1000} s each; a booking is a start, an opening, a day, a hold and a confirmation)`,
    rows,
  };
}
