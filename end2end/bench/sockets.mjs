// What a connection costs that is idle, and how long a message takes from one side of a chat to the other.
//
// The clients speak WebSocket over plain sockets (RFC 6455): on a machine of two cores a library's own costs would be measured, too.

import { execFileSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { atEnd, wait, within } from "./ending.mjs";
import { makeSite } from "./site.mjs";
import { figure, goal, milliseconds, number, quantile } from "./table.mjs";

const SITE = "chats";
const PAGE = "http://localhost:1/";
const IDLE = [1000, 6000, 12_000, 18_000];
const AT_ONCE = 50;
const OPEN = 2000;
const CHATS = 40;
const AGENTS = 8;
const RATES = [200, 1000, 2000];
const LENGTH_MS = 10_000;
const EACH_MS = 5;
const PER_SOCKET = 16 * 1024;
const WITHIN_MS = 50;
const GOAL_RATE = 1000;

const TALK = {
  id: "talk",
  cards: [
    { id: "agent", card: "liveChat", text: "One moment.", queue: true, fallbackText: "Nobody is there." },
    { id: "bye", card: "end", text: "Thank you!" },
  ],
};

/** A WebSocket that hears texts. */
class Socket {
  #socket;
  #received = Buffer.alloc(0);
  #upgraded = false;

  constructor(address, path, headers, hear) {
    this.hear = hear;
    const { hostname, port, host } = new URL(address);
    this.#socket = connect(Number(port), hostname).setNoDelay(true);
    const all = { Host: host, Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": randomBytes(16).toString("base64"), ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    this.opened = new Promise((resolve, reject) => {
      this.#socket.once("error", reject).once("close", () => reject(new Error("a socket was closed")));
      this.#socket.on("data", (chunk) => this.#take(chunk, resolve, reject));
    });
    this.opened.catch(() => {});
  }

  #take(chunk, resolve, reject) {
    this.#received = this.#received.length ? Buffer.concat([this.#received, chunk]) : chunk;
    if (!this.#upgraded) {
      const head = this.#received.indexOf("\r\n\r\n");
      if (head < 0) return;
      const status = this.#received.subarray(0, 12).toString();
      if (status !== "HTTP/1.1 101") return reject(new Error(`no socket: ${this.#received}`));
      this.#upgraded = true;
      this.#received = this.#received.subarray(head + 4);
      resolve();
    }
    for (;;) {
      const frame = this.#received;
      if (frame.length < 2) return;
      let [length, start] = [frame[1] & 127, 2];
      if (length === 126) [length, start] = frame.length < 4 ? [Infinity, 4] : [frame.readUInt16BE(2), 4];
      else if (length === 127) [length, start] = frame.length < 10 ? [Infinity, 10] : [Number(frame.readBigUInt64BE(2)), 10];
      if (frame.length < start + length) return;
      const content = frame.subarray(start, start + length);
      const kind = frame[0] & 15;
      if (kind === 1) this.hear(content.toString());
      else if (kind === 9) this.#write(10, content);
      else if (kind === 10) this.answered();
      else if (kind === 8) throw new Error("the server closed a socket");
      this.#received = frame.subarray(start + length);
    }
  }

  #write(kind, content) {
    const head = content.length < 126 ? Buffer.from([128 | kind, 128 | content.length]) : Buffer.from([128 | kind, 254, content.length >> 8, content.length & 255]);
    // A mask of zeros is a mask.
    this.#socket.write(Buffer.concat([head, Buffer.alloc(4), content]));
  }

  /** Waits until the server has come to what was sent before. */
  async ping() {
    const answered = new Promise((resolve) => (this.answered = resolve));
    this.#write(9, Buffer.alloc(0));
    await within(20_000, "an answer to a ping", answered);
  }

  say(what) {
    this.#write(1, Buffer.from(JSON.stringify(what)));
  }

  close() {
    this.#socket.destroy();
  }
}

async function start({ address }) {
  const body = JSON.stringify({ site: SITE, page: PAGE, token: null, locale: "en" });
  const response = await fetch(`${address}/widget/v1/start`, { method: "POST", body });
  if (!response.ok) throw new Error(`start: ${response.status}`);
  const { token, view } = await response.json();
  return { token, view };
}

/** A panel's connection, once the server has answered its first frame or needs to say nothing. */
async function panel(server, { token, view }, hear = () => {}) {
  const socket = new Socket(server.address, "/widget/v1/socket", {}, hear);
  await within(20_000, "a socket", socket.opened);
  socket.say({ token, view, page: PAGE, conversation: TALK.id, locale: "en", have: "0" });
  await socket.ping();
  return socket;
}

/** Resident memory of the server in bytes (Linux). */
function resident(pid) {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1]) * 1024;
}

async function several(count, make) {
  const made = [];
  while (made.length < count) made.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - made.length) }, make))));
  return made;
}

/** The slope of a line through points, by least squares. */
function slope(points) {
  const mean = (at) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  return points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0) / points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}

/** An agent's connection. */
async function agent(server, name, hear) {
  const told = execFileSync(server.binary, ["agent", "invite", `${name}@example.com`, "--site", SITE, "--data-dir", server.folder], { encoding: "utf8", env: {} });
  const token = told.split("\n")[0].split("#")[1];
  const body = new URLSearchParams({ token, name: "Bench", password: randomUUID() });
  const joined = await fetch(`${server.address}/console/join`, { method: "POST", body, redirect: "manual", headers: { origin: server.address } });
  const cookie = joined.headers.get("set-cookie")?.split(";")[0];
  if (!cookie) throw new Error(`join: ${joined.status}`);
  const socket = new Socket(server.address, "/console/socket", { Cookie: cookie, Origin: server.address }, hear);
  await within(20_000, "the console's socket", socket.opened);
  return socket;
}

/** Sends messages in all chats, from each side in turn, so many a second, and gives how long each took to the other side. */
async function exchange(rate, { chats, heard }) {
  const count = (rate * LENGTH_MS) / 1000;
  const sent = new Float64Array(count);
  const times = [];
  heard.take = (text) => {
    for (const [, index] of text.matchAll(/m(\d+);/g)) if (sent[index]) times.push(performance.now() - sent[index]);
  };
  const begun = performance.now();
  for (let next = 0; next < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - begun) * rate) / 1000));
    for (; next < due; next++) {
      const { chat, socket, desk } = chats[next % chats.length];
      sent[next] = performance.now();
      if (Math.floor(next / chats.length) % 2) desk.say({ id: next, do: "say", chat, message: uuid7(), text: `m${next};` });
      else socket.say({ say: { id: uuid7(), text: `m${next};` } });
    }
    await wait(EACH_MS);
  }
  const took = performance.now() - begun;
  const until = performance.now() + 30_000;
  while (times.length < count && performance.now() < until) await wait(50);
  if (times.length !== count) throw new Error(`${count} messages were sent, ${times.length} came`);
  return { times, rate: (count / took) * 1000 };
}

function uuid7() {
  const hex = Date.now().toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
}

export async function sockets({ server, say }) {
  await makeSite(server, SITE, [TALK]);
  const idle = [];
  atEnd(() => idle.forEach((socket) => socket.close()));
  const points = [];
  for (const count of IDLE) {
    // First all visitors, so that only their connections lie between two measurements: what a start leaves behind is not theirs.
    const visitors = await several(count - idle.length, () => start(server));
    const before = resident(server.pid);
    idle.push(...(await several(visitors.length, () => panel(server, visitors.pop()))));
    await wait(2000);
    points.push([count, resident(server.pid), before]);
    say(`${number(count)} sockets: ${number(resident(server.pid) / 1024)} KiB resident`);
  }
  const each = slope(points);
  const first = points[0];
  const last = points.at(-1);
  const rows = [
    ...points.map(([count, size]) => figure(`${number(count)} idle sockets`, `${number(size / 1024)} KiB resident`)),
    goal("resident memory a socket (slope)", `${number(each / 1024, 1)} KiB`, `≤ ${PER_SOCKET / 1024} KiB`, each <= PER_SOCKET),
    figure("between the first and the last", `${number((last[1] - first[1]) / (last[0] - first[0]) / 1024, 1)} KiB a socket`),
  ];
  idle.splice(OPEN - CHATS - AGENTS).forEach((socket) => socket.close());
  await wait(2000);

  const heard = { take: () => {} };
  const offered = new Set();
  const held = new Map();
  const makeDesk = async (name) => {
    const desk = await agent(server, name, (text) => {
      const told = JSON.parse(text);
      for (const row of [...(told.desk?.chats ?? []), ...(told.chat ? [told.chat] : [])]) {
        if (row.mine) held.set(row.id, desk);
        else if (row.offerUntil && !offered.has(row.id)) {
          offered.add(row.id);
          desk.say({ id: 0, do: "accept", chat: row.id });
        }
      }
      for (const line of told.said?.lines ?? []) if (line.author === "visitor") heard.take(line.text);
    });
    return desk;
  };
  const desks = [];
  while (desks.length < AGENTS) desks.push(await makeDesk(`agent${desks.length}`));
  const chats = [];
  for (let index = 0; index < CHATS; index++) {
    const visitor = await start(server);
    const fields = { ...visitor, after: "0", page: PAGE, conversation: TALK.id, locale: "en", theme: "auto" };
    const opened = await fetch(`${server.address}/widget/panel`, { method: "POST", body: new URLSearchParams(fields), headers: { origin: "http://localhost:1" } });
    if (!opened.ok) throw new Error(`panel: ${opened.status}`);
    await opened.text();
    const known = chats.map(({ chat }) => chat);
    const socket = await panel(server, visitor, (text) => {
      const { update, refused } = JSON.parse(text);
      if (refused) throw new Error(text);
      // The visitor's own lines come back to their panel, too: only what the other side wrote counts.
      for (const line of update?.said.split('data-author="') ?? []) if (line.startsWith("agent")) heard.take(line);
    });
    const until = performance.now() + 10_000;
    while (held.size <= index && performance.now() < until) await wait(10);
    const chat = [...held.keys()].find((chat) => !known.includes(chat));
    chats.push({ socket, chat, desk: held.get(chat) });
  }
  for (const rate of RATES) {
    const { times, rate: reached } = await exchange(rate, { chats, heard });
    const [half, most] = [quantile(times, 0.5), quantile(times, 0.99)];
    const text = `p50 ${milliseconds(half)}, p99 ${milliseconds(most)} (${number(reached)} a second reached)`;
    const what = `${number(rate)} messages a second, ${number(OPEN)} sockets open`;
    rows.push(rate === GOAL_RATE ? goal(what, text, `p99 ≤ ${WITHIN_MS} ms`, most <= WITHIN_MS) : figure(what, text));
    say(`${rate} a second: ${text}`);
  }
  [...chats.map(({ socket }) => socket), ...desks].forEach((socket) => socket.close());
  return {
    title: "Sockets",
    rows,
    notes: [`${CHATS} chats, ${AGENTS} agents, messages of both sides by turns; from sending to the other side's receipt, kept durably in between; the load generator runs on the same cores.`],
  };
}
