// A customer's own system that receives webhooks: a web server on a port of its own, that checks signatures as any of them would.

import { createHmac } from "node:crypto";
import { type IncomingHttpHeaders, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { PorchlightEvent } from "./porchlight";

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  event: PorchlightEvent;
  /** What it was answered. */
  status: number;
}

export interface Receiver {
  url: string;
  /** All that came, in its order. */
  received: Received[];
  /** Answers with this status from now on. */
  answer(status: number): void;
  stop(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      received.push({ headers: request.headers, body, event: JSON.parse(body) as PorchlightEvent, status });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/porchlight`,
    received,
    answer: (other) => void (status = other),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Whether a request is signed with a secret, as docs/webhooks.md tells receivers to check it. */
export function isSignedWith(secret: string, { headers, body }: Received): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const expected = `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
  return String(headers["webhook-signature"]).split(" ").includes(expected);
}
