// One question to a model: how to stop it, and how long its answers took.

import { duration } from "./numbers.js";

/** Handed to each request of a question. */
export class Asking {
  #calls = [];

  /** `signal` aborts the requests. */
  constructor(signal) {
    this.signal = signal;
  }

  /** A response came after `ms`, `server_ms` of them in the server (null if it does not say). */
  answered(ms, server_ms) {
    this.#calls.push({ ms, server_ms });
  }

  /** In words, how long the first answer took. */
  get took() {
    const [first] = this.#calls;
    if (!first) return "";
    const { ms, server_ms } = first;
    return server_ms === null ? duration(ms) : `${duration(ms)}, server ${duration(server_ms)}`;
  }
}

/** Milliseconds in a Server-Timing header, null if there are none. */
export function serverTime(header) {
  const found = /\bdur=([\d.]+)/.exec(header ?? "");
  return found ? Number(found[1]) : null;
}
