// What a run starts it also ends: when it is done, when it breaks, and at Ctrl-C.

const steps = [];
let stopping = false;

/** Whether the run was told to stop: then it is no wonder that things break. */
export const isStopping = () => stopping;

/** Notes what must be undone at the end; what was started last ends first. */
export const atEnd = (step) => void steps.push(step);

/** Undoes everything. A step that fails keeps none of the others from being undone. */
export async function end() {
  while (steps.length) {
    try {
      await steps.pop()();
    } catch (error) {
      console.error(error);
    }
  }
}

/** Ends the run when it is told to stop, and when it takes so long that something must hang. */
export function guard(milliseconds) {
  const stop = async (code, why) => {
    // Whoever asks twice does not want to wait.
    if (stopping) process.exit(code);
    stopping = true;
    console.error(`bench: ${why}`);
    await end();
    process.exit(code);
  };
  process.on("SIGINT", () => stop(130, "interrupted"));
  process.on("SIGTERM", () => stop(143, "terminated"));
  process.on("SIGHUP", () => stop(129, "hung up"));
  setTimeout(() => stop(1, `not done after ${milliseconds / 1000} s`), milliseconds).unref();
}

export const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits for something, but not for ever. */
export function within(milliseconds, what, promise) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`waited ${milliseconds} ms for ${what}`)), milliseconds)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
