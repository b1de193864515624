// A spoken command, from the microphone or a file.

import { element, identity } from "./dom.js";
import { percent } from "./numbers.js";
import { pictures } from "./pictures.js";
import { Question } from "./question.js";
import { bars, verdict } from "./scores.js";
import { readSound, Recording } from "./sound.js";
import { base64, wavBytes } from "./wav.js";

const LONGEST_RECORDING_S = 10;

export const title = "Speech recogniser";
export const what = "Record a command, or drop a recording.";

export function fits({ signatures: { serving_default: signature } }) {
  if (!signature) return false;
  return Object.keys(signature.inputs).join() === "audio_bytes" && "scores" in signature.outputs;
}

/** The elements of the panel. */
export function build(model) {
  const rate_hz = () => model.manifest.sample_rate_hz ?? 16_000; // a new version may have another
  const answer = element("div", { class: "answer" });
  let sound = null;

  const question = new Question({
    fields: [],
    answer,
    run: async (signal) => {
      const { samples, rate } = await sound;
      const bytes = wavBytes(samples, rate);
      const result = element("div", { class: "result" });
      URL.revokeObjectURL(answer.querySelector("audio")?.src);
      answer.replaceChildren(result, pictures(samples, rate), player(bytes));
      const clip = { audio_bytes: { b64: base64(bytes) } };
      const [heard] = await model.predict([clip], "serving_default", signal);
      if (heard.error) throw new Error(`The model cannot use this clip: ${heard.error}`);
      result.append(verdict(heard), bars(model.labels, heard.scores));
      question.say(`${heard.label}, ${percent(heard.probability)}`);
    },
  });

  const recognise = (read) => {
    const rate = rate_hz();
    sound = read(rate).then((samples) => ({ samples, rate }));
    return question.ask();
  };
  const choose = (file) => recognise((rate) => readSound(file, rate));
  const record = recorder(
    (recording) => recognise((rate) => recording.end(rate)),
    (error) => question.fail(error),
  );
  question.form.prepend(element("div", { class: "sources" }, record, chooser(choose)));
  return question.parts;
}

/** A button that starts and stops a recording, with a level meter. */
function recorder(ended, failed) {
  const level = element("span", { class: "level", "aria-hidden": "true" });
  const words = element("span", {}, "Record");
  const button = element(
    "button",
    { type: "button", class: "record", "aria-pressed": "false", click: () => toggle() },
    element("span", { class: "dot", "aria-hidden": "true" }),
    words,
    level,
  );
  let recording = null;
  let timer = null;

  async function toggle() {
    clearTimeout(timer);
    button.disabled = true;
    try {
      if (recording) await end();
      else await begin();
    } catch (error) {
      failed(error);
    } finally {
      button.disabled = false;
      button.focus();
    }
  }

  async function begin() {
    recording = await Recording.begin((loudest) =>
      level.style.setProperty("--share", String(Math.min(1, 2 * loudest))),
    );
    timer = setTimeout(toggle, 1000 * LONGEST_RECORDING_S);
    show(true);
  }

  async function end() {
    const running = recording;
    recording = null;
    show(false);
    await ended(running);
  }

  function show(on) {
    button.setAttribute("aria-pressed", String(on));
    words.textContent = on ? "Stop and recognise" : "Record";
    level.style.setProperty("--share", "0");
  }

  return button;
}

/** An input for files, chosen or dropped. */
function chooser(choose) {
  const id = identity("file");
  const input = element("input", {
    type: "file",
    id,
    accept: "audio/*,.wav,.flac",
    class: "unseen",
    change: () => {
      if (input.files.length) choose(input.files[0]);
      input.value = ""; // so that the same file can be chosen again
    },
  });
  const over = (event, on) => {
    event.preventDefault();
    zone.classList.toggle("over", on);
  };
  const zone = element(
    "label",
    {
      class: "drop",
      for: id,
      dragover: (event) => over(event, true),
      dragleave: (event) => over(event, false),
      drop: (event) => {
        over(event, false);
        if (event.dataTransfer.files.length) choose(event.dataTransfer.files[0]);
      },
    },
    input,
    element("span", {}, element("b", {}, "Choose an audio file"), " or drop one here"),
  );
  return zone;
}

function player(bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type: "audio/wav" }));
  return element("audio", { controls: true, src: url, "aria-label": "The clip" });
}
