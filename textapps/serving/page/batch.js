// Asking a model many rows, a bounded number at a time.

const MOST_ROWS = 64; // in a request
const MOST_CHARACTERS = 100_000; // in a request of more than one row
const BUSY_MS = 1000; // before a busy server is asked again
const MOST_TRIES = 30;
// Of a chunk, which may be too much or have one bad row: bad input, too large, failed, too slow.
const REFUSALS = [400, 413, 500, 504];

/**
 * The answers to texts, in their order, a chunk at a time: `{ outputs }` or `{ error }` for each.
 *
 * `predict(texts)` asks. What it refuses is asked again in halves, so that one bad row costs the
 * others nothing; a full queue is waited for.
 */
export async function* answers(texts, predict, { most = MOST_ROWS, signal }) {
  for (const chunk of chunks(texts, most)) yield await ask(chunk, predict, signal);
}

async function ask(chunk, predict, signal) {
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return (await predict(chunk)).map((outputs) => ({ outputs }));
    } catch (error) {
      if (error.status === 503 && tries < MOST_TRIES) await pause(BUSY_MS, signal);
      else if (!REFUSALS.includes(error.status) || signal.aborted) throw error;
      else if (chunk.length === 1) return [{ error: error.message }];
      else break;
    }
  }
  const half = Math.ceil(chunk.length / 2);
  const first = await ask(chunk.slice(0, half), predict, signal);
  return [...first, ...(await ask(chunk.slice(half), predict, signal))];
}

/** Texts in their order, cut where there are `most` of them or too many characters. */
export function chunks(texts, most) {
  const all = [];
  let characters = Infinity;
  for (const text of texts) {
    characters += text.length;
    if (characters > MOST_CHARACTERS || all.at(-1).length === most) {
      all.push([]);
      characters = text.length;
    }
    all.at(-1).push(text);
  }
  return all;
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
