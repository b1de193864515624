// Talking to the server: its public endpoints, its errors in words, its token.

import { events } from "./sse.js";

const MEANINGS = {
  404: "The server does not have this model",
  413: "The request is larger than the server accepts",
  503: "The server is overloaded: try again in a moment",
  504: "The server did not respond in time",
};

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

/** The server of this page. `askForToken(wrong)` resolves to the token to use. */
export class Server {
  #askForToken;
  #asking = null;
  #token = null;

  constructor(askForToken) {
    this.#askForToken = askForToken;
    try {
      this.#token = sessionStorage.getItem("textapps-token");
    } catch {
      // Storage can be forbidden; then the token lasts as long as the page.
    }
  }

  /** JSON from a path such as "v1/models". */
  async get(path) {
    return json(await this.#fetch(path, { cache: "no-store" }));
  }

  /** The JSON answer to a JSON body. */
  async post(path, body, signal) {
    return json(await this.#fetch(path, post(body, signal)));
  }

  /** The events that answer a JSON body: `{ event, data }`, the data parsed. */
  async *stream(path, body, signal) {
    const response = await this.#fetch(path, post(body, signal));
    try {
      for await (const { event, data } of events(response.body)) {
        yield { event, data: JSON.parse(data) };
      }
    } catch (error) {
      throw error instanceof TypeError ? new NoAnswer() : error;
    }
  }

  async #fetch(path, options) {
    for (;;) {
      const token = this.#token;
      const response = await fetch(path, {
        ...options,
        headers: { ...options.headers, ...(token && { authorization: `Bearer ${token}` }) },
      }).catch((error) => {
        throw error instanceof TypeError ? new NoAnswer() : error;
      });
      if (response.ok) return response;
      if (response.status !== 401) throw new ServerError(response.status, await said(response));
      // One question at a time, and none about a token that has been replaced meanwhile.
      if (token === this.#token) await (this.#asking ??= this.#renew(token !== null));
    }
  }

  async #renew(wrong) {
    this.#token = await this.#askForToken(wrong);
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

async function json(response) {
  // The server may write NaN and Infinity, which are numbers there but not in JSON.
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(text.replace(STRING_OR_NUMBER, (found) => (found[0] === '"' ? found : "null")));
  }
}

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;

async function said(response) {
  try {
    return (await response.json()).error ?? "";
  } catch {
    return "";
  }
}
