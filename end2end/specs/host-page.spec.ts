// What the widget does to the page that carries it: nothing but what the contract names.

import type { Page } from "@playwright/test";
import { expect, expectTold, heard, test, Widget } from "../fixtures";

const COMPLETED = [
  ...["widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked"],
  ...["conversation.engaged", "input.email", "input.phone", "conversation.completed"],
];

/** A page with a bit of everything that layout is made of. */
const CONTENT = `
  <header><h1>A shop</h1><nav><a href="#a">One</a> <a href="#b">Two</a></nav></header>
  <main>
    <p id="a">Text with <em>stress</em>, <code>code</code> and <button type="button">a button</button>.</p>
    <div class="grid"><section><h2>First</h2><p>A cell.</p></section><section><h2>Second</h2><ul><li>x</li><li>y</li></ul></section></div>
    <table><caption>Prices</caption><tbody><tr><th scope="row">Wren</th><td>49</td></tr></tbody></table>
    <form><label for="search">Search</label> <input id="search" value="bikes"> <select aria-label="Kind"><option>All</option></select></form>
    <svg width="40" height="40" aria-hidden="true"><circle cx="20" cy="20" r="18"/></svg>
    <div class="tall"></div>
  </main>
  <aside class="fixed">Fixed</aside>
  <footer id="b">The end <iframe title="empty" srcdoc="&lt;p&gt;empty"></iframe></footer>`;

const LAYOUT = `
  body { display: flex; flex-direction: column; gap: 12px; margin: 0 8px; font: 15px/1.5 sans-serif; }
  .grid { display: grid; grid-template-columns: 1fr 2fr; gap: 8px; }
  .tall { height: 1500px; }
  .fixed { position: fixed; inset: auto auto 0 0; }
  header { position: sticky; top: 0; }
  footer { display: flex; justify-content: space-between; }`;

/** Boxes and computed styles of all the page's own elements, and the size of the document. */
const snapshot = (page: Page) =>
  page.evaluate(() => {
    const own = [...document.querySelectorAll<HTMLElement>("html, body, body *")].filter((element) => !element.closest("#porchlight, script"));
    const elements = own.map((element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      return [element.tagName, { x, y, width, height }, Object.fromEntries([...style].map((name) => [name, style.getPropertyValue(name)]))] as const;
    });
    const { scrollWidth, scrollHeight, clientWidth } = document.documentElement;
    return { elements, size: { scrollWidth, scrollHeight, clientWidth } };
  });

test.describe("a strict policy", () => {
  for (const hostname of ["127.0.0.1", "localhost"] as const) {
    test(`is not violated, and the conversation completes, on ${hostname}`, async ({ page, host, porchlight, widget }) => {
      const { origin } = porchlight;
      await page.goto(
        host.page({
          hostname,
          csp: (nonce) =>
            `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'none'; img-src 'none'; font-src 'none'; connect-src ${origin}; ` +
            `frame-src ${origin}; form-action ${origin}; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'`,
        }),
      );
      await widget.open();
      await widget.complete();
      await expectTold(page, porchlight, COMPLETED);
      await widget.closeButton.click();
      await expect(widget.panel).toBeHidden();
      await expect(widget.launcher).toHaveCSS("border-radius", "50%");
      expect(await heard(page).violations()).toEqual([]);
    });
  }

  test("that forbids the panel is violated, and noticed here", async ({ page, host, widget, quiet }) => {
    quiet.allow(/violates the (following|document's) Content Security Policy/);
    await page.goto(host.page({ csp: (nonce) => `default-src 'none'; script-src 'nonce-${nonce}'` }));
    await expect.poll(() => heard(page).violations()).toEqual([expect.stringContaining("connect-src")]);
    await expect(widget.host).toHaveCount(0);
  });
});

test.describe("names on window", () => {
  test.use({ listens: false });

  const before = `window.before = Object.getOwnPropertyNames(window);`;
  const added = (page: Page): Promise<string[]> =>
    page.evaluate(() => {
      const { before } = window as unknown as { before: string[] };
      return Object.getOwnPropertyNames(window).filter((name) => !before.includes(name) && name !== "before");
    });

  test("are exactly Porchlight and AdobeDX, also after a conversation", async ({ page, host, widget }) => {
    await page.goto(host.page({ before }));
    await expect(widget.launcher).toBeVisible();
    expect((await added(page)).sort()).toEqual(["AdobeDX", "Porchlight"]);
    await widget.open();
    await widget.complete();
    expect((await added(page)).sort()).toEqual(["AdobeDX", "Porchlight"]);
  });

  test("are those and Adobe’s two with data-adobe-globals", async ({ page, host, widget }) => {
    await page.goto(host.page({ before, tag: { "data-adobe-globals": "" } }));
    await expect(widget.launcher).toBeVisible();
    expect((await added(page)).sort()).toEqual(["AdobeDX", "Enum", "Porchlight", "addListener"]);
  });
});

test.describe("layout and style of the page", () => {
  test("nothing shifts: not while it loads, not when it opens, answers and closes", async ({ page, host, widget }) => {
    await page.goto(
      host.page({
        head: `<style>${LAYOUT}</style>`,
        body: CONTENT,
        before: `
          window.shifted = 0;
          window.shifts = new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (shifted += value)));
          shifts.observe({ type: "layout-shift", buffered: true });`,
      }),
    );
    const shifted = (): Promise<number> =>
      page.evaluate(async () => {
        const all = window as unknown as { shifted: number; shifts: PerformanceObserver };
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        return all.shifts.takeRecords().reduce((sum, entry) => sum + (entry as unknown as { value: number }).value, all.shifted);
      });
    await expect(widget.launcher).toBeVisible();
    expect(await shifted()).toBe(0);
    await widget.call("open");
    await widget.connected();
    await widget.choose();
    await widget.call("close");
    await expect(widget.panel).toBeHidden();
    expect(await shifted()).toBe(0);
    // The measure measures: something that does shift the page is seen.
    await page.evaluate(() => document.body.prepend(Object.assign(document.createElement("div"), { innerText: "Cookies?", style: "height: 200px" })));
    await expect.poll(shifted).toBeGreaterThan(0);
  });

  for (const [what, css] of [
    ["", LAYOUT],
    [" that styles its last child", `${LAYOUT} body > :last-child { margin-bottom: 40px; color: rgb(0 0 200); } body > :only-child { display: none; }`],
  ]) {
    test(`is the same with the widget as without it, closed and open, on a page${what}`, async ({ page, context, host, widget }) => {
      const head = `<style>${css}</style>`;
      const without = await context.newPage();
      await without.goto(host.page({ head, body: CONTENT, tag: false }));
      const expected = await snapshot(without);
      await without.close();
      await page.goto(host.page({ head, body: CONTENT }));
      await expect(widget.launcher).toBeVisible();
      expect(await snapshot(page)).toEqual(expected);
      await widget.open();
      // Where the pointer is does not matter to the layout, but to :hover.
      await page.mouse.move(0, 0);
      expect(await snapshot(page)).toEqual(expected);
    });
  }
});

test("the Back button leaves the page, and not a step of the conversation", async ({ page, host, widget }) => {
  const before = host.page();
  await page.goto(before);
  await expect(widget.launcher).toBeVisible();
  await page.goto(host.page());
  await expect(widget.launcher).toBeVisible();
  const length = await page.evaluate(() => history.length);
  await widget.open();
  await widget.complete();
  expect(await page.evaluate(() => history.length)).toBe(length);
  await page.goBack();
  await expect(page).toHaveURL(before);
});

test("the tag names a language and a theme", async ({ page, host, widget }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(host.page({ tag: { "data-locale": "de-AT", "data-theme": "dark" } }));
  await expect(widget.launcher).toHaveAccessibleName("Chat öffnen");
  await widget.open();
  await expect(widget.frame.locator("html")).toHaveAttribute("lang", "de");
  await expect(widget.frame.locator("html")).toHaveCSS("color-scheme", "dark");
  await widget.choose();
  await widget.giveEmail();
  await expect(widget.country).toHaveValue("AT");
});

test.describe("the page’s style", () => {
  // What moves is not alike twice.
  test.use({ contextOptions: { reducedMotion: "reduce" } });

  const HOSTILE = `
    div, button, iframe, svg { display: none !important; }
    button { color: red; width: 300px; min-height: 200px; background: url("data:,"); font: 40px cursive; }
    * { letter-spacing: 9px !important; color: red !important; visibility: hidden !important; opacity: 0 !important; pointer-events: none !important; }
    #porchlight { position: static !important; z-index: -1 !important; inset: 0 auto auto 0 !important; transform: scale(3) !important; width: 900px !important; }
    body > div { float: left; zoom: 2; filter: blur(9px) !important; clip-path: circle(0) !important; }`;

  /** What the widget looks like, element by element. */
  const look = (page: Page) =>
    page.evaluate(() => {
      const host = document.querySelector("#porchlight");
      const inside = [...(host?.shadowRoot?.querySelectorAll("*") ?? [])];
      return [host, ...inside].map((element) => {
        const style = getComputedStyle(element as Element);
        const { x, y, width, height } = (element as Element).getBoundingClientRect();
        return [(element as Element).tagName, { x, y, width, height }, Object.fromEntries([...style].map((name) => [name, style.getPropertyValue(name)]))];
      });
    });

  test("does not reach the launcher or the panel", async ({ page, context, host, widget }) => {
    const plain = new Widget(await context.newPage());
    await plain.page.goto(host.page());
    await expect(plain.launcher).toBeVisible();
    await page.goto(host.page({ head: `<style>${HOSTILE}</style>` }));
    await expect(page.locator("main")).toBeHidden();
    await expect(widget.launcher).toBeVisible();
    expect(await look(page)).toEqual(await look(plain.page));

    for (const each of [plain, widget]) {
      await each.page.bringToFront();
      await each.call("open");
      await each.connected();
    }
    await expect(widget.panel).toBeVisible();
    await expect(widget.choices).toHaveCount(3);
    expect(await look(page)).toEqual(await look(plain.page));
  });
});
