// How much a page loads from Porchlight: before the launcher is visible, and when the visitor opens it.

import { wait } from "./ending.mjs";
import { launcherOf, noteOf, open, visit } from "./page.mjs";
import { bytes, figure, goal } from "./table.mjs";

/** What the address of a request says of it. */
function kindOf(url) {
  const { pathname } = new URL(url);
  if (pathname === "/porchlight.js") return "loader";
  if (pathname === "/widget/panel") return "html";
  if (pathname.startsWith("/assets/stage.")) return "stage";
  if (pathname.endsWith(".css")) return "css";
  if (pathname.endsWith(".wasm")) return "wasm";
  if (pathname.startsWith("/assets/") && pathname.endsWith(".js")) return "glue";
  return "answers (JSON)";
}

/** The bytes of a compressed file as the server keeps it. */
async function compressed(url) {
  const response = await fetch(url, { headers: { "accept-encoding": "br" } });
  // Read to the end, but what is read is decoded already: only the header knows its length on the way.
  await response.arrayBuffer();
  const { headers } = response;
  if (headers.get("content-encoding") !== "br") throw new Error(`${url} is not sent in brotli`);
  return Number(headers.get("content-length"));
}

/** Follows the requests of the host page itself, preflights included. */
async function follow(page, origin) {
  const session = await page.context().newCDPSession(page);
  const requests = new Map();
  await session.send("Network.enable");
  session.on("Network.requestWillBeSent", ({ requestId, request, wallTime, timestamp, type }) => {
    if (request.url.startsWith(origin)) requests.set(requestId, { url: request.url, type, at: wallTime * 1000, offset: (wallTime - timestamp) * 1000 });
  });
  session.on("Network.loadingFinished", ({ requestId, timestamp, encodedDataLength }) => {
    const request = requests.get(requestId);
    if (request) Object.assign(request, { ended: timestamp * 1000 + request.offset, wire: encodedDataLength });
  });
  return () => [...requests.values()];
}

const LOADER_MAX = 4000;
const OPEN_MAX = 100_000;

export async function launcher({ browser, host, server }) {
  const { context, page, problems } = await visit(browser);
  const requests = await follow(page, server.address);
  await page.goto(`${host}/with`);
  await launcherOf(page);
  const { drawn, launcher: visible } = await page.evaluate(() => window.bench);
  await wait(1000);
  const all = requests();
  await context.close();
  if (all.some((request) => !request.ended)) throw new Error("a request of the host page did not end");
  const path = ({ url, type }) => `\`${new URL(url).pathname}\`${type === "Preflight" ? " (preflight)" : ""}`;
  const sent = all.filter((request) => request.at < visible);
  const awaited = sent.filter((request) => request.ended < drawn);
  const loader = await compressed(`${server.address}/porchlight.js`);
  const wire = sent.reduce((sum, request) => sum + request.wire, 0);
  return {
    title: "Before the launcher is visible",
    rows: [
      goal("loader, brotli", bytes(loader), `≤ ${bytes(LOADER_MAX)} (4 KiB is 4,096 B)`, loader <= LOADER_MAX),
      goal("requests sent before its first frame", `${sent.length}: ${sent.map(path).join(", ")}`, "≤ 2", sent.length <= 2),
      figure("of these, answered before it was drawn", `${awaited.length}: ${awaited.map(path).join(", ")}`),
      figure("bytes received for all of them, with headers", bytes(wire)),
    ],
    notes: noteOf(problems),
  };
}

export async function firstOpen({ browser, host, server }) {
  const { context, page, problems } = await visit(browser);
  const finished = [];
  context.on("requestfinished", (request) => {
    if (request.url().startsWith(server.address)) finished.push(request);
  });
  await page.goto(`${host}/with`);
  await launcherOf(page);
  // What the launcher itself fetched and reported is told above.
  await wait(1000);
  const before = finished.splice(0).map((request) => request.url());
  const panel = await open(page);
  await wait(1500);
  const { typable } = await panel.evaluate(() => window.bench);
  const kinds = new Map(["stage", "html", "css", "wasm", "glue", "answers (JSON)"].map((kind) => [kind, { count: 0, body: 0, wire: 0, early: 0, encodings: new Set() }]));
  for (const request of finished) {
    const { responseBodySize, responseHeadersSize } = await request.sizes();
    const encoding = (await (await request.response()).headerValue("content-encoding")) ?? "none";
    const { startTime, responseEnd } = request.timing();
    const kind = kinds.get(kindOf(request.url()));
    if (!kind) throw new Error(`${request.url()} was fetched when the panel opened`);
    kind.count += 1;
    kind.body += responseBodySize;
    kind.wire += responseBodySize + responseHeadersSize;
    if (startTime + responseEnd <= typable) kind.early += responseBodySize;
    kind.encodings.add(encoding);
  }
  await context.close();
  if (before.some((url) => kindOf(url) === "stage")) throw new Error("the stage was loaded before the visitor came near");
  const rows = [...kinds].map(([name, { count, body, encodings }]) => {
    const how = [...encodings].join(", ");
    return figure(name, `${bytes(body)}${count === 1 ? "" : `, ${count} requests`}${how === "br" ? "" : `, encoding ${how}`}`);
  });
  const sum = (field) => [...kinds.values()].reduce((sum, kind) => sum + kind[field], 0);
  const loader = await compressed(`${server.address}/porchlight.js`);
  return {
    title: "First open",
    rows: [
      ...rows,
      goal("all that opening fetches, brotli", bytes(sum("body")), `≤ ${bytes(OPEN_MAX)}`, sum("body") <= OPEN_MAX),
      figure("of it, there before the field could be typed into", bytes(sum("early"))),
      figure("all of it with headers", `${bytes(sum("wire"))}, ${sum("count")} requests`),
      figure("with the loader, brotli", bytes(sum("body") + loader)),
    ],
    notes: noteOf(problems),
  };
}
