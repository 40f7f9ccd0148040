// The script time that the tag adds to the host page: the same page with and without it, by turns, on a slowed-down processor.

import { startChrome } from "./chrome.mjs";
import { wait } from "./ending.mjs";
import { figure, goal, median, number, spread } from "./table.mjs";

const PAIRS = 30;
const SLOWER = 4;
/** Pairs at full speed: they differ little from each other, so that fewer do. */
const PAIRS_FULL_SPEED = 10;
/** How long a page is left alone: on this processor the launcher stands, and all is said, in a fraction of it. */
const REST_MS = 1200;
const GOAL_MS = 10;

/**
 * What DevTools counts as scripting. The protocol's own `ScriptDuration` is no measure of a loader: it leaves out what runs when a
 * promise resolves, which is where a script works that begins with a fetch.
 */
const SCRIPT = new Set([
  "EvaluateScript",
  "v8.compile",
  "v8.compileModule",
  "v8.evaluateModule",
  "FunctionCall",
  "v8.callFunction",
  "TimerFire",
  "RunMicrotasks",
  "EventDispatch",
  "FireAnimationFrame",
  "FireIdleCallback",
  "MinorGC",
  "MajorGC",
]);

/** The time of the host page's main thread in script, in milliseconds: of the processor, by the clock, and for what. */
function scriptTime(events) {
  const mark = events.find((event) => event.name === "host page");
  if (!mark) throw new Error("the trace does not show the host page");
  const script = events.filter((event) => event.pid === mark.pid && event.tid === mark.tid && event.ph === "X" && SCRIPT.has(event.name));
  const time = { cpu: 0, clock: 0, parts: {} };
  let end = 0;
  for (const { ts, dur = 0, tdur = 0, name } of script.sort((a, b) => a.ts - b.ts || b.dur - a.dur)) {
    // Script within script is counted already.
    if (ts < end) continue;
    end = ts + dur;
    time.cpu += tdur / 1000;
    time.clock += dur / 1000;
    time.parts[name] = (time.parts[name] ?? 0) + tdur / 1000;
  }
  return time;
}

/** Looked at when all is measured: whether the launcher stands, and for how long the page has asked nothing of the server. */
const state = (server) => `({
  shown: !!document.getElementById("porchlight")?.shadowRoot.querySelector("button[aria-expanded]")?.checkVisibility(),
  quiet: performance.now() - Math.max(0, ...performance.getEntriesByType("resource")
    .filter(({ name }) => name.startsWith(${JSON.stringify(server)})).map(({ responseEnd }) => responseEnd)),
})`;

async function measure(chrome, url, server, slower) {
  const page = await chrome.page();
  await page.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.send("Emulation.setCPUThrottlingRate", { rate: slower });
  const traced = await chrome.trace(["devtools.timeline", "v8.execute", "blink.user_timing"]);
  await page.send("Page.navigate", { url });
  // Nothing of ours runs on the page while it is measured.
  await wait(REST_MS);
  const { metrics } = await page.send("Performance.getMetrics");
  const time = scriptTime(await traced());
  const { result } = await page.send("Runtime.evaluate", { expression: state(server), returnByValue: true });
  await page.leave();
  const metric = (name) => metrics.find((metric) => metric.name === name).value * 1000;
  return { ...time, ...result.value, scriptDuration: metric("ScriptDuration"), taskDuration: metric("TaskDuration") };
}

/** Pairs of the page with and without the tag. */
async function measurePairs({ chrome, host, server }, count, slower) {
  const [tagged, bare] = [`${host}/with`, `${host}/without`];
  // The first pages of a new browser pay for it.
  for (const url of [tagged, bare]) await measure(chrome, url, server.address, slower);
  const pairs = [];
  for (let tries = 0; pairs.length < count; tries++) {
    if (tries === count * 2) throw new Error("the launcher does not come, or the page not to rest");
    // Each is first as often as the other, so that going first counts for neither.
    const order = tries % 2 ? [bare, tagged] : [tagged, bare];
    const runs = {};
    for (const url of order) runs[url] = await measure(chrome, url, server.address, slower);
    const [a, b] = [runs[tagged], runs[bare]];
    if (a.shown && a.quiet >= REST_MS / 4) pairs.push([a, b]);
  }
  return pairs;
}

export async function script({ host, server, say }) {
  const { chrome, stop } = await startChrome();
  const where = { chrome, host, server };
  const fullSpeed = (await measurePairs(where, PAIRS_FULL_SPEED, 1)).map(([a, b]) => a.cpu - b.cpu);
  say(`at full speed ${number(median(fullSpeed), 1)} ms`);
  const pairs = await measurePairs(where, PAIRS, SLOWER);
  await stop();
  const difference = (field) => pairs.map(([a, b]) => a[field] - b[field]);
  const added = median(difference("cpu"));
  const parts = [...new Set(pairs.flatMap(([a]) => Object.keys(a.parts)))]
    .map((name) => [name, median(pairs.map(([a, b]) => (a.parts[name] ?? 0) - (b.parts[name] ?? 0)))])
    .filter(([, part]) => part >= 0.1)
    .sort((a, b) => b[1] - a[1]);
  return {
    title: `Script time added to the host page (${PAIRS} pairs, processor ${SLOWER} times slower)`,
    rows: [
      goal("script, processor time", spread(difference("cpu")), `≤ ${GOAL_MS} ms (Crisp: 33 ms)`, added <= GOAL_MS),
      figure("of it", parts.map(([name, part]) => `${name} ${number(part, 1)}`).join(", ")),
      // Slowing down works by interrupting, by the clock: what else runs on the machine counts, and waiting counts like working.
      figure("at full speed, processor time", spread(fullSpeed, 2)),
      figure("script, by the clock", spread(difference("clock"))),
      figure("script of the page without the tag, processor time", spread(pairs.map(([, b]) => b.cpu))),
      figure("all tasks of the main thread (`TaskDuration`)", spread(difference("taskDuration"))),
      figure("`ScriptDuration`, which leaves out what promises run", spread(difference("scriptDuration"))),
    ],
  };
}
