// Whoever receives webhooks, in a thread of its own, so that what it notes does not wait for the clients: one that takes everything,
// and one that accepts connections and never says a word.

import { createServer as createHttp } from "node:http";
import { createServer } from "node:net";
import { parentPort } from "node:worker_threads";

/** The moment by a clock that all threads share, in milliseconds. */
const now = () => performance.timeOrigin + performance.now();

let arrived = [];

const listen = (server) => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));

const good = createHttp((request, response) => {
  arrived.push([request.headers["webhook-id"], now()]);
  request.resume().once("end", () => response.writeHead(204).end());
});
// Kept for as long as the run takes.
good.keepAliveTimeout = 0;

const silent = createServer((socket) => {
  socket.on("error", () => {});
  socket.resume();
});

/** A port where nobody is. */
async function closedPort() {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

parentPort.on("message", () => {
  parentPort.postMessage({ arrived });
  arrived = [];
});
parentPort.postMessage({ good: await listen(good), silent: await listen(silent), closed: await closedPort() });
