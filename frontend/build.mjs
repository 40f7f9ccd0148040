// Builds all that browsers load into frontend/dist: the loader's core, stage and analytics, its types, the panel's style, wasm and glue, the
// names of countries. Every file but the core carries a hash of its content in its name, so that it may be cached for ever; manifest.json says which.
// What has not changed is not built again.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build, transform } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "frontend/dist");
const bin = (name) => join(root, "node_modules/.bin", name);
const sha = (content) => createHash("sha256").update(content).digest("hex").slice(0, 12);
const started = Date.now();
const say = (text) => console.log(`  ${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}`);

const targetDir = JSON.parse(
  execFileSync("cargo", ["metadata", "--format-version=1", "--no-deps"], { cwd: root, maxBuffer: 1e8 }).toString(),
).target_directory;
const work = join(targetDir, "frontend");
mkdirSync(work, { recursive: true });

const run = (command, ...parameters) => execFileSync(command, parameters, { cwd: root, stdio: "inherit" });

/** The glue and the optimised wasm of a bundle; made anew only when the compiled wasm has changed. */
function bundled(name) {
  say(`wasm of the ${name}: compile`);
  // Each by itself: compiled together, they would share the features of both.
  run("bin/cargo-wasm", "build", "--quiet", `--package=porchlight-${name}`, "--target=wasm32-unknown-unknown", "--profile=wasm");
  const compiledPath = join(targetDir, `wasm32-unknown-unknown/wasm/porchlight_${name}.wasm`);
  const compiled = readFileSync(compiledPath);
  const out = join(work, `${name}-${sha(compiled)}`);
  if (!existsSync(join(out, "done"))) {
    say("wasm: bindings");
    run("cargo", "run", "--quiet", "--release", "--package=porchlight-bindgen", "--", compiledPath, out, name);
    say("wasm: optimise");
    // By name: with --all-features the module uses what today's browsers refuse to load.
    const features = ["bulk-memory", "nontrapping-float-to-int", "sign-ext", "mutable-globals", "reference-types", "multivalue"];
    const wasm = join(out, `${name}_bg.wasm`);
    execFileSync(bin("wasm-opt"), ["-Oz", ...features.map((feature) => `--enable-${feature}`), "-o", wasm, wasm], { stdio: "inherit" });
    writeFileSync(join(out, "done"), "");
  }
  return { glue: readFileSync(join(out, `${name}.js`), "utf8"), wasm: readFileSync(join(out, `${name}_bg.wasm`)) };
}

/** The names of countries in each language of the panel, sorted as that language sorts, from Unicode's CLDR by way of Node. */
function countries(locales) {
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const codes = letters.flatMap((first) => letters.map((second) => first + second));
  const named = locales.map((locale) => {
    const names = new Intl.DisplayNames(locale, { type: "region", fallback: "none" });
    const list = codes.map((code) => [code, names.of(code)]).filter(([, name]) => name);
    return [locale, list.sort((a, b) => new Intl.Collator(locale).compare(a[1], b[1]))];
  });
  return JSON.stringify(Object.fromEntries(named));
}

const minifiedCss = {
  name: "minified-css",
  setup: (builder) =>
    builder.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    }),
};

/** One bundle of the loader, as text. */
async function bundle(entry, options) {
  const { outputFiles } = await build({
    entryPoints: [join(root, "frontend/loader/src", entry)],
    bundle: true,
    minify: true,
    target: "es2021",
    charset: "utf8",
    write: false,
    plugins: [minifiedCss],
    ...options,
  });
  return outputFiles[0].text;
}

say("loader");
const stage = await bundle("stage/index.ts", { format: "esm" });
const analytics = await bundle("analytics/index.ts", { format: "esm" });
// One hash for both: the core holds the names, and what stands there twice costs it less.
const hash = sha(stage + analytics);
const [stageName, analyticsName] = [`stage.${hash}.js`, `analytics.${hash}.js`];
const core = await bundle("index.ts", { define: { STAGE: JSON.stringify(stageName), ANALYTICS: JSON.stringify(analyticsName) } });
const types = ["porchlight.d.ts", "events.d.ts"].map((file) => readFileSync(join(root, "frontend/loader/types", file), "utf8")).join("\n");

say("style");
/** The style of a part, as Tailwind makes it from the classes in its source. */
function styled(name) {
  const sheet = join(work, `${name}.css`);
  const parameters = ["--input", join(root, `style/${name}.css`), "--output", sheet, "--minify"];
  execFileSync(bin("tailwindcss"), parameters, { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
  const css = readFileSync(sheet);
  return [`${name}.${sha(css)}.css`, css];
}
const [cssName, css] = styled("widget");
const [consoleCssName, consoleCss] = styled("console");

/** Glue and wasm under one name: they only fit each other. */
async function named(name) {
  const { glue, wasm } = bundled(name);
  const minified = (await transform(glue, { minify: true, format: "esm", target: "es2022" })).code;
  const whole = `${name}.${sha(Buffer.concat([Buffer.from(minified), wasm]))}`;
  return [whole, { [`${whole}.js`]: minified, [`${whole}_bg.wasm`]: wasm }];
}
const [widgetName, widgetFiles] = await named("widget");
const [consoleName, consoleFiles] = await named("console");

const files = {
  "porchlight.js": core,
  [stageName]: stage,
  [analyticsName]: analytics,
  "porchlight.d.ts": types,
  "countries.json": countries(["ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pt-BR", "zh-Hans", "zh-Hant"]),
  [cssName]: css,
  [consoleCssName]: consoleCss,
  ...widgetFiles,
  ...consoleFiles,
  "manifest.json": JSON.stringify({
    widget: widgetName,
    css: cssName,
    console: consoleName,
    console_css: consoleCssName,
    stage: stageName,
    analytics: analyticsName,
  }),
};
mkdirSync(dist, { recursive: true });
const expected = new Set(Object.keys(files).flatMap((name) => [name, `${name}.br`]));
for (const name of readdirSync(dist)) if (!expected.has(name)) rmSync(join(dist, name));
const write = (name, content) => {
  const path = join(dist, name);
  // A file that is as it was keeps its time, so that the server is not built again.
  if (existsSync(path) && readFileSync(path).equals(content)) return false;
  writeFileSync(path, content);
  return true;
};
for (const [name, text] of Object.entries(files)) {
  const content = Buffer.from(text);
  if (!write(name, content) && existsSync(join(dist, `${name}.br`))) continue;
  const parameters = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  write(`${name}.br`, brotliCompressSync(content, { params: parameters }));
}
for (const name of Object.keys(files)) {
  const [plain, small] = [name, `${name}.br`].map((file) => readFileSync(join(dist, file)).length);
  say(`${basename(name).padEnd(32)} ${String(plain).padStart(8)} B  ${String(small).padStart(7)} B brotli`);
}
