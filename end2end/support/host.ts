// A customer's web server, on a port of its own: it serves the pages that tests write.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface HostPage {
  /** The language and direction of the page; English from left to right if it says nothing. */
  html?: string;
  head?: string;
  body?: string;
  /** The page's Content-Security-Policy. Its inline scripts and Porchlight's tag carry the nonce. */
  csp?: (nonce: string) => string;
  /** Script that runs before Porchlight's tag, and after it. */
  before?: string;
  after?: string;
  /** Further attributes of Porchlight's tag; `false` leaves the tag out. */
  tag?: Record<string, string> | false;
  /** The name the page is reached by: `localhost` is another site than Porchlight's 127.0.0.1, not only another origin. */
  hostname?: "127.0.0.1" | "localhost";
}

export interface Host {
  origin: string;
  /** Makes a page, and gives its address. */
  page(page?: HostPage): string;
  stop(): Promise<void>;
}

const NONCE = "r4nd0m";

const BODY = `
  <main>
    <h1>A customer’s page</h1>
    <p>It has <a href="#more">a link</a> and a form.</p>
    <form><label for="search">Search</label> <input id="search" name="search"></form>
    <p id="more">More of it.</p>
  </main>`;

export async function startHost(porchlight: string): Promise<Host> {
  const pages: HostPage[] = [];

  const render = ({ html = 'lang="en" dir="ltr"', head = "", body = BODY, before = "", after = "", tag = {} }: HostPage): string => {
    const attributes = Object.entries({ "data-site": "demo", ...tag }).map(([name, value]) => ` ${name}="${value}"`);
    const script = (source: string): string => (source ? `<script nonce="${NONCE}">${source}</script>` : "");
    const porchlightTag = tag ? `<script async nonce="${NONCE}" src="${porchlight}/porchlight.js"${attributes.join("")}></script>` : "";
    return `<!doctype html>
<html ${html}>
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>A customer’s page</title>
  ${head}
  ${script(before)}
  ${porchlightTag}
  ${script(after)}
</head>
<body>${body}
</body>
</html>`;
  };

  const server = createServer((request, response) => {
    const page = pages[Number(/^\/page\/(\d+)$/.exec(new URL(request.url ?? "/", "http://host").pathname)?.[1] ?? -1)];
    if (!page) {
      response.writeHead(request.url === "/favicon.ico" ? 204 : 404).end();
      return;
    }
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.setHeader("cache-control", "no-store");
    if (page.csp) response.setHeader("content-security-policy", page.csp(NONCE));
    response.end(render(page));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    origin: `http://127.0.0.1:${port}`,
    page: (page = {}) => `http://${page.hostname ?? "127.0.0.1"}:${port}/page/${pages.push(page) - 1}`,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
