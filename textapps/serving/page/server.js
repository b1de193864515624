// Talking to the server: its public endpoints, its errors in words, its token.

import { serverTime } from "./asking.js";
import { parse } from "./json.js";
import { events } from "./sse.js";

const MEANINGS = {
  404: "The server does not have this model",
  413: "The request is larger than the server accepts",
  503: "The server is overloaded: try again in a moment",
  504: "The server did not respond in time",
};

// What a header can carry, and what `textapps serve` takes as a token.
const TOKEN = /^[\x21-\x7e]+$/;

const PATIENCE_MS = 5000; // with a server that only says that it lives

/** A request that was answered, but not with what was asked for. The message is for people. */
export class ServerError extends Error {
  constructor(status, said) {
    const meaning = MEANINGS[status] ?? (status >= 500 ? "The server failed" : "");
    super([meaning, said].filter(Boolean).join(": ") || `The server returned status ${status}`);
    this.status = status;
  }
}

/** The server could not be reached. */
export class NoAnswer extends Error {
  constructor() {
    super("The server does not respond. Is it still running?");
  }
}

/**
 * The server of this page. `askForToken(wrong)` resolves to the token to use; `lost()` is called
 * when a request found no server.
 */
export class Server {
  #askForToken;
  #asking = null;
  #token = null;
  #lost;

  constructor(askForToken, lost) {
    this.#askForToken = askForToken;
    this.#lost = lost;
    try {
      const kept = sessionStorage.getItem("textapps-token");
      if (TOKEN.test(kept ?? "")) this.#token = kept;
    } catch {
      // Storage can be forbidden; then the token lasts as long as the page.
    }
  }

  /** Whether it wants a token. */
  get locked() {
    return this.#token !== null;
  }

  /** Throws NoAnswer if the server does not say within seconds that it lives. */
  async lives() {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch("health/live", { cache: "no-store", signal }).catch(() => null);
    if (!response?.ok) throw new NoAnswer();
  }

  /** JSON from a path such as "v1/models". */
  async get(path) {
    return parse(await (await this.#fetch(path, { cache: "no-store" })).text());
  }

  /** The JSON answer to a JSON body, an object or a text; `exact` as for `parse`. */
  async post(path, body, asking, { exact = false } = {}) {
    const begin = performance.now();
    const response = await this.#fetch(path, post(body, asking?.signal));
    const text = await response.text().catch((error) => this.#fail(error));
    asking?.answered(performance.now() - begin, serverTime(response.headers.get("server-timing")));
    return parse(text, { exact });
  }

  /** The events that answer a JSON body: `{ event, data }`, the data parsed. */
  async *stream(path, body, asking) {
    const response = await this.#fetch(path, post(body, asking?.signal));
    try {
      for await (const { event, data } of events(response.body)) {
        yield { event, data: JSON.parse(data) };
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Throws what an error of fetch means. */
  #fail(error) {
    if (!(error instanceof TypeError)) throw error;
    this.#lost();
    throw new NoAnswer();
  }

  async #fetch(path, options) {
    for (;;) {
      const token = this.#token;
      const response = await fetch(path, {
        ...options,
        headers: { ...options.headers, ...(token && { authorization: `Bearer ${token}` }) },
      }).catch((error) => this.#fail(error));
      if (response.ok) return response;
      if (response.status !== 401) throw new ServerError(response.status, await said(response));
      // One question at a time, and none about a token that has been replaced meanwhile.
      if (token === this.#token) await (this.#asking ??= this.#renew(token !== null));
    }
  }

  async #renew(wrong) {
    let token = await this.#askForToken(wrong);
    while (!TOKEN.test(token)) token = await this.#askForToken(true);
    this.#token = token;
    this.#asking = null;
    try {
      sessionStorage.setItem("textapps-token", this.#token);
    } catch {
      // As above.
    }
  }
}

function post(body, signal) {
  return {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
    signal,
  };
}

async function said(response) {
  try {
    return (await response.json()).error ?? "";
  } catch {
    return "";
  }
}
