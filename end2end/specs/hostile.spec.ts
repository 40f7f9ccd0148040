// What people type, whatever it is, is text: in the panel, and in the agents' console.

import { TALK, asks, expect, heard, test } from "../fixtures";
import { accept, agentOf, close } from "../support/agent";
import { makeSite } from "../support/site";

/** Each runs in one place or another where text is taken for something else: tags, attributes, addresses, templates, styles, other parsers. */
const MARKUP = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg onload=alert(1)>",
  "<svg><script>alert(1)</script></svg>",
  "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
  "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
  "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
  "<object data=javascript:alert(1)></object>",
  "<embed src=javascript:alert(1)>",
  "<details open ontoggle=alert(1)>",
  "<body onload=alert(1)>",
  "<input autofocus onfocus=alert(1)>",
  "<video><source onerror=alert(1)></video>",
  "<form action=javascript:alert(1)><button>x</button></form>",
  "<base href=//evil.example/>",
  "<meta http-equiv=refresh content='0;url=//evil.example'>",
  "<link rel=stylesheet href=//evil.example/x.css>",
  "<style>*{display:none}</style>",
  "<template><script>alert(1)</script></template>",
  "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
  "<leptos-island data-component=Answering></leptos-island>",
  "<!--><img src=x onerror=alert(1)>-->",
  "</textarea><script>alert(1)</script>",
  "</title><script>alert(1)</script>",
  "</div></div></main><h1>Another page</h1>",
  "<a href=javascript:alert(1)>x</a>",
  "' onmouseover='alert(1)",
  '" onfocus="alert(1)" autofocus="',
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "&#60;img src=x onerror=alert(1)&#62;",
  "\\u003cscript\\u003ealert(1)",
  "<scr<script>ipt>alert(1)</scr</script>ipt>",
  "{{constructor.constructor('alert(1)')()}} ${alert(1)} <%= alert(1) %> #{alert(1)}",
  "{{visitor.email}} {{agent}}",
  "[click](javascript:alert(1)) ![x](x' onerror='alert(1))",
  "**bold** _it_ `code` [a](https://a.example)",
];
const ADDRESSES = [
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)//https://a.example",
  "java\tscript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:msgbox(1)",
  'https://a.example/"onmouseover="alert(1)',
  "https://a.example/'><img src=x onerror=alert(1)>",
  "https://a.example\u202egpj.exe",
  "http://[::1]/%00<script>",
  "https://user:pass@a.example/",
  "https://" + "a".repeat(2000) + ".example/" + "b".repeat(2000),
];
const SIGNS = [
  "\u202eevil\u202c \u200b\u2066x",
  "\u2067\u2067\u2067right to left, never closed",
  "\ufeff\u200d\u2060\u180e joined by nothing",
  "e" + "\u0301".repeat(500),
  "\ud83d\udc69\u200d\ud83d\udc69\u200d\ud83d\udc67\u200d\ud83d\udc66".repeat(50),
  "\u0007\u001b[31mred\u001b[0m",
  "a\r\nb\u2028c\u2029d\u0085e",
  "x".repeat(5000),
  "\n".repeat(200) + "far below",
  "ﷺ".repeat(300),
  "null undefined NaN true [object Object]",
  "'; drop table chat; --",
  '{"said":{"chat":1}}',
];

test("nothing that either side types runs, escapes, or breaks the layout", async ({ page, browser, host, porchlight, widget }) => {
  test.slow();
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  const ran: string[] = [];
  for (const side of [page, ada.page]) {
    side.on("dialog", (dialog) => {
      ran.push(dialog.message());
      void dialog.dismiss();
    });
    side.on("request", (request) => request.url().includes("evil.example") && ran.push(request.url()));
  }
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  await expect(widget.card).toContainText("Message to Ada");
  const agentLines = widget.frame.locator("[data-author=agent]");
  const corpus = [...MARKUP, ...ADDRESSES, ...SIGNS];
  for (const [index, text] of corpus.entries()) {
    await widget.field.fill(text);
    await widget.send.click();
    // The bot spoke first; the choice was the visitor's first line.
    await expect(ada.page.locator(".visitor-line"), text.slice(0, 40)).toHaveCount(index + 2);
    await expect(widget.field).toHaveValue("");
    await ada.page.locator("#composer").fill(" " + text);
    await ada.page.getByRole("button", { name: "Send" }).click();
    await expect(agentLines, text.slice(0, 40)).toHaveCount(index + 1);
  }
  for (const text of MARKUP) {
    // As it was typed, on both sides.
    await expect(ada.page.locator("#log")).toContainText(text.replace(/\s+/g, " "));
    await expect(widget.log).toContainText(text.replace(/\s+/g, " "));
  }
  // The shapes of a visitor's and an agent's lines are ours alone.
  const kinds = (log: typeof widget.log) =>
    log.evaluate((element) => [...new Set([...element.querySelectorAll("*")].map((one) => one.localName))].sort());
  for (const log of [widget.log, ada.page.locator("#log")]) {
    const extra = (await kinds(log)).filter((name) => !["a", "br", "div", "i", "p", "span", "strong", "svg", "path"].includes(name));
    expect(extra).toEqual([]);
    const links = await log.evaluate((element) => [...element.querySelectorAll("a")].map((one) => one.getAttribute("href")));
    expect(links.filter((href) => !/^https?:\/\//.test(href ?? ""))).toEqual([]);
    const handlers = await log.evaluate((element) =>
      [...element.querySelectorAll("*")].flatMap((one) => one.getAttributeNames().filter((name) => name.startsWith("on"))),
    );
    expect(handlers).toEqual([]);
    expect(await log.evaluate((element) => element.scrollWidth <= element.clientWidth + 1), "nothing sticks out").toBe(true);
  }
  for (const side of [page, ada.page]) expect(await side.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(ran).toEqual([]);
  expect(await heard(page).violations()).toEqual([]);
  expect(ada.errors).toEqual([]);
  await close(ada);
});

test("what no field lets through, a program may send: null bytes, and a line of 64 kB", async ({ page, browser, host, porchlight, widget, quiet }) => {
  quiet.allow(/status of 4(13|22)/);
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  await expect(widget.card).toContainText("Message to Ada");
  const frame = page.frames().find((frame) => frame.url().includes("/widget/panel"));
  const sends = (text: string) =>
    frame?.evaluate(async (text) => {
      const fields = new FormData(document.querySelector("#card form") as HTMLFormElement);
      fields.set("value", text);
      fields.delete("file");
      fields.set("id", "0192f0c0-0000-7000-8000-" + Math.floor(Math.random() * 1e12).toString(16).padStart(12, "0"));
      const answer = await fetch("/widget/v1/answers", { method: "POST", headers: { accept: "application/json" }, body: fields });
      return answer.status;
    }, text);
  expect(await sends("a\0b\0<b>c</b>")).toBe(200);
  await expect(ada.page.locator(".visitor-line").last()).toHaveText(/ab<b>c<\/b>/);
  expect(await sends("x".repeat(65_536)), "longer than a request may be").toBe(413);
  expect(await sends("x".repeat(10_000)), "longer than a message may be").toBe(422);
  expect(await sends("x".repeat(5_000))).toBe(200);
  await expect(ada.page.locator(".visitor-line").last()).toHaveText(/x{5000}/);
  expect(ada.errors).toEqual([]);
  await close(ada);
});
