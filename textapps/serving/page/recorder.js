// The dialog of a recording: its level, its time, and its limit.

import { element, identity } from "./dom.js";
import { Recording } from "./sound.js";

const LIMIT_S = 10;
const LOOK_MS = 100;
const QUIET = 0.01; // of the largest level
const LOUD = 0.985;

/** A button that opens it. `ended(recording)` gets what was recorded, `failed(error)` why not. */
export function recorder(ended, failed) {
  const button = element(
    "button",
    { type: "button", class: "record", click: () => begin() },
    element("span", { class: "dot", "aria-hidden": "true" }),
    "Record",
  );
  const id = identity("recording");
  const time = element("span", { class: "time", role: "timer" });
  const spent = element("progress", { max: LIMIT_S, "aria-label": "Time until the limit" });
  const level = element("span", { class: "level", "aria-hidden": "true" });
  const remark = element("p", { class: "hint", role: "status" });
  const dialog = element(
    "dialog",
    { class: "recorder", "aria-labelledby": id, close: () => close() },
    element("header", {}, element("h3", { id }, "Recording"), time),
    element("div", { class: "meter" }, level),
    spent,
    remark,
    element(
      "div",
      { class: "actions" },
      element("button", { type: "button", class: "primary", click: () => stop() }, "Stop and recognise"),
      element("button", { type: "button", click: () => dialog.close() }, "Cancel"),
    ),
  );
  let recording = null;
  let since = 0;
  let loudest = 0;
  let ticking = null;

  async function begin() {
    button.disabled = true;
    try {
      recording = await Recording.begin(show);
    } catch (error) {
      failed(error);
      return;
    } finally {
      button.disabled = false;
    }
    since = performance.now();
    loudest = 0;
    remark.textContent = "Speak now.";
    dialog.showModal();
    tick();
    ticking = setInterval(tick, LOOK_MS);
  }

  function show(peak) {
    loudest = Math.max(loudest, peak);
    level.style.setProperty("--share", String(Math.min(1, 2 * peak)));
  }

  function tick() {
    const seconds = (performance.now() - since) / 1000;
    time.textContent = `${Math.min(seconds, LIMIT_S).toFixed(1)} s of ${LIMIT_S} s`;
    spent.value = seconds;
    const words = remarkOn(seconds);
    if (remark.textContent !== words) remark.textContent = words;
    if (seconds >= LIMIT_S) stop();
  }

  function remarkOn(seconds) {
    if (loudest > LOUD) return "Too loud: the sound is cut off. Move away from the microphone.";
    if (seconds > 1.5 && loudest < QUIET) return "Nothing is heard. Is this the right microphone?";
    return "Speak now.";
  }

  function stop() {
    const running = recording;
    recording = null; // so that closing keeps it
    dialog.close();
    if (running) ended(running);
  }

  /** Stopped, cancelled or left by Escape. */
  function close() {
    clearInterval(ticking);
    recording?.cancel();
    recording = null;
    level.style.setProperty("--share", "0");
    button.focus();
  }

  return [button, dialog];
}
