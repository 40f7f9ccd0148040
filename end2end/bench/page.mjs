// The browser, and a customer's page in it.

import { createServer } from "node:http";
import { chromium } from "playwright-core";
import { EXECUTABLE, FLAGS } from "./chrome.mjs";
import { atEnd } from "./ending.mjs";
import { BENCH } from "./site.mjs";

const WORDS = "<p>We lend you a bicycle for as long as you want it, and service it at your door.</p>\n".repeat(12);

/** A page with some text and a script of its own, as every page has; what it costs to have one at all is not Porchlight's. */
const html = (tag) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><script>performance.mark("host page")</script></head>
<body><h1>Shop</h1>
${WORDS}${tag}
</body></html>`;

/** Serves the same page with and without the tag; `/with/SITE` is for another site than the bench's usual one. */
export async function serveHost(porchlight) {
  const server = createServer((request, response) => {
    const [, kind, site = BENCH] = request.url.split("/");
    const tag = `<script async src="${porchlight}/porchlight.js" data-site="${site}"></script>`;
    const page = { with: html(tag), without: html("") }[kind];
    response.writeHead(page ? 200 : 404, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" });
    response.end(page);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  // By name: to a browser 127.0.0.1 on two ports is one site, and the panel would run in the host page's own process. A customer's
  // site is another site than Porchlight's, and so is localhost.
  return `http://localhost:${server.address().port}`;
}

export async function launch() {
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: FLAGS,
    // The bench ends what it started by itself, in its own order.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  atEnd(() => browser.close());
  return browser;
}

/** Runs in every document: notes when the launcher and the panel's first control can be used, and what moved. */
function observe() {
  const marks = (window.bench = { shifts: [] });
  new PerformanceObserver((list) => {
    // Also what moved within half a second of a click, which browsers forgive: nothing of the host page may move for us.
    for (const entry of list.getEntries()) marks.shifts.push(entry.value);
  }).observe({ type: "layout-shift", buffered: true });

  /** The time between documents of different processes can be compared as time since 1970. */
  const now = () => performance.timeOrigin + performance.now();
  /** Whether a click in its middle would reach it. */
  const usable = (element, root) => {
    if (!element || element.disabled || !element.checkVisibility({ visibilityProperty: true })) return false;
    const { x, y, width, height } = element.getBoundingClientRect();
    const hit = root.elementFromPoint(x + width / 2, y + height / 2);
    return width > 0 && height > 0 && (hit === element || element.contains(hit));
  };
  const each = (look) => {
    const frame = () => look() || requestAnimationFrame(frame);
    requestAnimationFrame(frame);
  };
  if (window === top) {
    addEventListener("click", (event) => (marks.clicked = performance.timeOrigin + event.timeStamp), true);
    addEventListener("message", ({ data }) => {
      if (data?.porchlight === "hello") marks.hello ??= now();
    });
    new MutationObserver((_, observer) => {
      if (!document.getElementById("porchlight")) return;
      marks.drawn = now();
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true });
    each(() => {
      const root = document.getElementById("porchlight")?.shadowRoot;
      if (usable(root?.querySelector("button[aria-expanded]"), root)) marks.launcher = now();
      return marks.launcher;
    });
  } else {
    /** Marks when something can be seen and reached: after that frame's paint, not before it. */
    const seen = (name, selector) => {
      if (!usable([...document.querySelectorAll(selector)].at(-1), document)) return false;
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => (marks[name] = now());
      port2.postMessage(null);
      return true;
    };
    let typable = false;
    // The newest line stands before the card: it is looked for last, so that looking costs little while the rest arrives.
    each(() => (typable ||= seen("typable", "#card :is(.choice, #value)")) && seen("newest", "#said [data-author]"));
  }
}

/** A visitor who was never here: nothing cached, nothing kept. What goes wrong on the page is collected in `problems`. */
export async function visit(browser, { width = 1280, height = 720 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale: "en-GB", reducedMotion: "no-preference" });
  await context.addInitScript(observe);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on("requestfailed", (request) => problems.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  return { context, page, problems };
}

/** The launcher's marks of the page, once it can be used. */
export async function launcherOf(page) {
  await page.waitForFunction(() => window.bench.launcher);
  return page.locator("#porchlight button[aria-expanded]");
}

/** Clicks on the launcher, and waits until the panel's island has taken over; gives the panel's frame. */
export async function open(page) {
  const launcher = await launcherOf(page);
  const { x, y, width, height } = await launcher.boundingBox();
  // By mouse, as a visitor does it: a click by script is none that browsers treat as one.
  await page.mouse.click(x + width / 2, y + height / 2);
  await page.waitForFunction(() => window.bench.hello);
  const panel = page.frames().find((frame) => frame !== page.mainFrame());
  await panel.waitForFunction(() => window.bench.typable && window.bench.newest);
  return panel;
}

/** What went wrong, as a note; nothing if all went well. */
export const noteOf = (problems) => (problems.length ? [`Problems on the page: ${[...new Set(problems)].join("; ")}`] : []);
