// Measures what Porchlight promises, and prints it as Markdown: `node end2end/bench/bench.mjs [section…]`.
//
// It starts the real binary, release/porchlight below cargo's target directory or what PORCHLIGHT_BIN names. A missed goal is a
// figure like any other; only a run that breaks fails.

import { cpus } from "node:os";
import { analytics } from "./analytics.mjs";
import { booking } from "./booking.mjs";
import { commands } from "./commands.mjs";
import { end, guard, isStopping, wait } from "./ending.mjs";
import { shift, typable } from "./opening.mjs";
import { inbox } from "./inbox.mjs";
import { launch, serveHost } from "./page.mjs";
import { resolution } from "./resolution.mjs";
import { script } from "./script.mjs";
import { startServer } from "./server.mjs";
import { BENCH, makeSite, WELCOME } from "./site.mjs";
import { slots } from "./slots.mjs";
import { sockets } from "./sockets.mjs";
import { number, print } from "./table.mjs";
import { transcript } from "./transcript.mjs";
import { webhooks } from "./webhooks.mjs";
import { firstOpen, launcher } from "./weight.mjs";

const ON_PAGE = { launcher, open: firstOpen, script, shift, typable, transcript, inbox };
const ON_SERVER = { resolution, slots, booking, commands, webhooks, sockets, analytics };
const SECTIONS = { ...ON_PAGE, ...ON_SERVER };
const LONGEST_MS = 900_000;

/** The share of the processors that is in use while the bench itself does nothing. */
async function othersShare() {
  const times = () => cpus().reduce(([all, idle], { times }) => [all + Object.values(times).reduce((sum, time) => sum + time, 0), idle + times.idle], [0, 0]);
  const before = times();
  await wait(1000);
  const after = times();
  return 1 - (after[1] - before[1]) / (after[0] - before[0]);
}

async function run(wanted) {
  const others = await othersShare();
  const server = await startServer();
  await makeSite(server, BENCH, [WELCOME]);
  const tables = [];
  let browser;
  const measure = async (name, where) => {
    const started = performance.now();
    const say = (text) => console.error(`  ${name}: ${text}`);
    const { title, rows, notes } = await Promise.race([SECTIONS[name]({ ...where, server, say }), server.broken]);
    tables.push(print(title, rows, notes));
    say(`done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  };
  const onPage = wanted.filter((name) => name in ON_PAGE);
  if (onPage.length) {
    browser = await launch();
    const host = await serveHost(server.address);
    for (const name of onPage) await measure(name, { browser, host });
    // An idle browser is not quite idle.
    await browser.close();
  }
  for (const name of wanted.filter((name) => name in ON_SERVER)) await measure(name, {});
  const [{ model }] = cpus();
  const facts = [
    new Date().toISOString().slice(0, 10),
    `${model.trim()}, ${cpus().length} cores, ${number(others * 100)} % in use by others before the run`,
    `${server.version}, ${server.build} build`,
    `Node ${process.versions.node}`,
    ...(browser ? [`Chromium ${browser.version()}`] : []),
  ];
  return `${facts.join(" · ")}\n\n${tables.join("\n")}`;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in SECTIONS));
if (unknown.length) {
  console.error(`bench: there is no section ${unknown.join(", ")}; there are ${Object.keys(SECTIONS).join(", ")}`);
  process.exit(2);
}
guard(LONGEST_MS);
try {
  const text = await run(wanted.length ? wanted : Object.keys(SECTIONS));
  await end();
  if (!isStopping()) process.stdout.write(text);
} catch (error) {
  // Whoever stops the run ends it, too.
  if (!isStopping()) {
    console.error(error.stack);
    await end();
    process.exitCode = 1;
  }
}
