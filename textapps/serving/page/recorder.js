// The dialog of a recording: its level, its time, and its limit.

import { element, identity } from "./dom.js";
import { Recording } from "./sound.js";

const LOOK_MS = 100;
const QUIET = 0.01; // of the largest level
const LOUD = 0.985;

/**
 * A button with a label that opens it: `[button, dialog]`.
 *
 * `ended(recording)` gets what was recorded, `failed(error)` why nothing could be. `stop` is on the
 * button that ends it. With `next`, a second button ends it and begins another recording, as long
 * as there is `room()`; `title()` names the one that runs.
 */
export function recorder({ label, ended, failed, stop: stopping, limit_s, ...more }) {
  const { title = () => "Recording", next = null, room = () => false } = more;
  const button = element(
    "button",
    { type: "button", class: "record", click: () => begin() },
    element("span", { class: "dot", "aria-hidden": "true" }),
    label,
  );
  const id = identity("recording");
  const heading = element("h3", { id });
  const time = element("span", { class: "time", role: "timer" });
  const spent = element("progress", { max: limit_s, "aria-label": "Time until the limit" });
  const level = element("span", { class: "level", "aria-hidden": "true" });
  const remark = element("p", { class: "hint", role: "status" });
  const further = next && element("button", { type: "button", class: "primary", click: () => goOn() }, next);
  const last = element("button", { type: "button", class: next ? null : "primary", click: () => stop() }, stopping);
  const dialog = element(
    "dialog",
    { class: "recorder", "aria-labelledby": id, close: () => close() },
    element("header", {}, heading, time),
    element("div", { class: "meter" }, level),
    spent,
    remark,
    element(
      "div",
      { class: "actions" },
      further,
      last,
      element("button", { type: "button", click: () => dialog.close() }, "Cancel"),
    ),
  );
  let recording = null;
  let cancelled = false; // while the microphone is being opened
  let since = 0;
  let loudest = 0;
  let ticking = null;

  async function begin() {
    button.disabled = true;
    cancelled = false;
    try {
      recording = await Recording.begin(show);
    } catch (error) {
      dialog.close();
      failed(error);
      return;
    } finally {
      button.disabled = false;
    }
    if (cancelled) {
      taken().cancel();
      return;
    }
    since = performance.now();
    loudest = 0;
    remark.textContent = "Speak now.";
    heading.textContent = title();
    if (further) further.hidden = !room();
    if (!dialog.open) dialog.showModal();
    tick();
    ticking = setInterval(tick, LOOK_MS);
  }

  function show(peak) {
    loudest = Math.max(loudest, peak);
    level.style.setProperty("--share", String(Math.min(1, 2 * peak)));
  }

  function tick() {
    const seconds = (performance.now() - since) / 1000;
    time.textContent = `${Math.min(seconds, limit_s).toFixed(1)} s of ${limit_s} s`;
    spent.value = seconds;
    const words = remarkOn(seconds);
    if (remark.textContent !== words) remark.textContent = words;
    if (seconds >= limit_s) stop();
  }

  function remarkOn(seconds) {
    if (loudest > LOUD) return "Too loud: the sound is cut off. Move away from the microphone.";
    if (seconds > 1.5 && loudest < QUIET) return "Nothing is heard. Is this the right microphone?";
    return "Speak now.";
  }

  /** What was recorded, no longer running, so that closing keeps it; null if nothing runs. */
  function taken() {
    const running = recording;
    recording = null;
    clearInterval(ticking);
    level.style.setProperty("--share", "0");
    return running;
  }

  function stop() {
    const running = taken();
    dialog.close();
    if (running) ended(running);
  }

  async function goOn() {
    const running = taken();
    if (!running) return; // the next one is about to begin
    remark.textContent = "";
    await ended(running);
    if (dialog.open) await begin();
  }

  /** Stopped, cancelled or left by Escape. */
  function close() {
    cancelled = true;
    taken()?.cancel();
    button.focus();
  }

  return [button, dialog];
}
