// The clients, in a thread of their own: each is a visitor who sends one report after the other.
//
// They speak HTTP over plain sockets: Node's own client costs more processor time a request than the server does, and on a
// machine of two cores it would be the client that is measured.

import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { BENCH, WELCOME } from "./site.mjs";

const ANSWER_MS = 10_000;
const { address, page } = workerData;
const { hostname, port, host } = new URL(address);

/** A connection that is kept; one request at a time. */
class Connection {
  #socket = connect(Number(port), hostname);
  #received = "";
  #waiting;

  constructor() {
    // As bytes: lengths in HTTP are lengths in bytes.
    this.#socket.setEncoding("latin1").setNoDelay(true).setTimeout(ANSWER_MS);
    this.#socket.on("data", (chunk) => this.#take(chunk));
    for (const event of ["error", "close", "timeout"]) this.#socket.on(event, (error) => this.#waiting?.reject(error ?? new Error(`the connection: ${event}`)));
  }

  #take(chunk) {
    this.#received += chunk;
    const head = this.#received.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#received.slice(0, head + 2))?.[1];
    const end = head + 4 + Number(length);
    if (this.#received.length < end) return;
    const body = this.#received.slice(head + 4, end);
    const good = this.#received.startsWith("HTTP/1.1 200") && length !== undefined;
    const { resolve, reject } = this.#waiting;
    this.#waiting = undefined;
    const answer = this.#received;
    this.#received = "";
    if (good) resolve(body);
    else reject(new Error(`the server answered: ${answer}`));
  }

  post(path, body) {
    const text = JSON.stringify(body);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const length = Buffer.byteLength(text);
      this.#socket.write(`POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\n\r\n${text}`);
    });
  }

  close() {
    this.#socket.destroy();
  }
}

/** UUIDv7: its first 48 bits are the time. */
function uuid7(time) {
  const hex = time.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
}

/** One visitor until the end; gives the session, and how many reports were acknowledged in it. */
async function client(round) {
  const connection = new Connection();
  try {
    const { token, view, session, cursor } = JSON.parse(await connection.post("/widget/v1/start", { site: BENCH, page, token: null, locale: "en" }));
    let after = cursor;
    let acknowledged = 0;
    round.ready();
    await round.started;
    for (let sent = performance.now(); sent < round.end; ) {
      const now = Date.now();
      const id = uuid7(now);
      const report = { id, time: new Date(now).toISOString(), type: "widget.clicked", widget: "launcher", element: "porchlight", kind: "Chat" };
      const answer = await connection.post("/widget/v1/events", { token, view, session, after, page, conversation: WELCOME.id, reports: [report] });
      after = Number(/"cursor":(\d+)/.exec(answer)?.[1]);
      // An answer that does not tell the event back has not made it durable.
      if (!answer.includes(id) || !after) throw new Error(`the report was not taken: ${answer}`);
      acknowledged += 1;
      const answered = performance.now();
      if (answered >= round.begin && answered < round.end) round.times.push(answered - sent);
      sent = answered;
    }
    return { session, acknowledged };
  } finally {
    connection.close();
  }
}

/** So many clients at once, until the time is over. */
async function measure({ clients, warm, length }) {
  const round = { times: [], begin: Infinity, end: Infinity };
  let go;
  let missing = clients;
  round.started = new Promise((resolve) => (go = resolve));
  const all = new Promise((resolve) => (round.ready = () => --missing || resolve()));
  const running = Promise.all(Array.from({ length: clients }, () => client(round)));
  await Promise.race([all, running]);
  round.begin = performance.now() + warm;
  round.end = round.begin + length;
  const before = performance.eventLoopUtilization();
  go();
  const [visitor] = await running;
  const { utilization } = performance.eventLoopUtilization(before);
  return { perSecond: (round.times.length / length) * 1000, times: round.times, busy: utilization, visitor };
}

parentPort.postMessage(await measure(workerData));
