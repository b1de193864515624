// A section in which a model learns a word from recordings, and the words that it has learned so.

import { Asking } from "./asking.js";
import { copyButton } from "./copy.js";
import { element, field } from "./dom.js";
import { checkName, ENOUGH, learn, MOST, NEEDED } from "./enrolment.js";
import { count } from "./numbers.js";
import { ownWords } from "./ownwords.js";
import { Takes } from "./takes.js";
import { bytesOf } from "./wav.js";
import { zipParts } from "./zip.js";

const HINT =
  `Record it ${ENOUGH} to ${MOST} times, best by everyone who will say it. ` +
  "The model keeps its other words, and knows this one in this tab until you close it.";
const FULL = "The browser has no room to keep these words over a reload.";
const KEEPING =
  "Add the recordings to the run that was exported, and export it again; " +
  "--run names the run if it is not the latest.";

/** `{ element, update }`; null if the model cannot learn words. `tryIt()` records a clip to recognise. */
export function wordSection(model, tryIt) {
  if (!model.has(...NEEDED)) return null;
  const name = element("input", { type: "text", autocomplete: "off", spellcheck: "false", dir: "auto" });
  const error = element("p", { class: "error", role: "alert" });
  const status = element("p", { class: "hint", role: "status" });
  const button = element("button", { type: "submit", class: "primary" }, "Add the word");
  const failed = (reason) => {
    error.textContent = reason.message;
  };
  const takes = new Takes(() => model.manifest.sample_rate_hz ?? 16_000, failed, () => {
    error.textContent = "";
    const made = takes.clips.length;
    status.textContent = made ? `${count(made, "recording")} of ${ENOUGH} to ${MOST}` : "";
  });
  const list = element("div", { class: "own-words" });
  let changing = null; // the word that the form has been filled with

  const form = element(
    "form",
    { class: "new-word", submit: (event) => add(event) },
    field("Word", name),
    ...takes.elements,
    element("div", { class: "actions" }, button, status),
    error,
  );
  const section = element(
    "details",
    { class: "tool" },
    element("summary", {}, "Add a word"),
    element("p", { class: "hint" }, HINT),
    form,
    list,
  );

  async function add(event) {
    event.preventDefault();
    const word = name.value.trim();
    error.textContent = "";
    button.disabled = true;
    const asking = new Asking(new AbortController().signal);
    try {
      checkName(word, model, changing);
      takes.check();
      const given = { word, clips: takes.clips, replaced: changing };
      const made = await learn(model, given, asking, (words) => {
        status.textContent = words;
      });
      ownWords.add(made, changing);
      changing = null;
      name.value = "";
      await takes.fill([]);
      status.textContent = `“${word}” is added.`;
      [...list.querySelectorAll(".own-word")].at(-1).querySelector("button").focus();
    } catch (reason) {
      status.textContent = "";
      failed(reason);
    } finally {
      button.disabled = false;
    }
  }

  async function change(own) {
    changing = own.word;
    name.value = own.word;
    await takes.fill(own.clips);
    form.scrollIntoView({ block: "nearest" });
    name.focus();
  }

  function remove(own) {
    ownWords.remove(own);
    (list.querySelector("button") ?? name).focus();
  }

  let shown = null;
  function update() {
    const words = ownWords.of(model);
    const said = words.map(({ word, version, told }) => [word, version, told]);
    const state = JSON.stringify([model.version, ownWords.kept, said]);
    if (state === shown) return;
    shown = state;
    list.replaceChildren(...words.map((own) => card(own, model, { tryIt, change, remove })));
    if (!ownWords.kept) list.append(element("p", { class: "hint" }, FULL));
  }

  ownWords.listen(update);
  update();
  return { element: section, update };
}

/** A word that was added, and what one does with it. */
function card(own, model, { tryIt, change, remove }) {
  const current = own.version === model.version;
  const outdated =
    `Learned with version ${own.version}, so version ${model.version} does not know it: ` +
    "choose “Change”, and add it again.";
  const said = current ? own.told : [outdated];
  const quiet = (label, click) => element("button", { type: "button", class: "quiet", click }, label);
  return element(
    "article",
    { class: "own-word", "aria-label": own.word },
    element("h3", {}, element("bdi", {}, own.word)),
    ...said.map((words) => element("p", {}, words)),
    element(
      "div",
      { class: "actions" },
      current ? element("button", { type: "button", click: () => tryIt() }, "Try it") : null,
      quiet("Change", () => change(own)),
      quiet("Delete", () => remove(own)),
    ),
    lasting(own),
  );
}

/** How a word is added to the run itself. */
function lasting({ word, clips }) {
  const folder = word.replace(/[^\p{L}\p{N}_]+/gu, "-").replace(/^-|-$/g, "") || "word";
  const files = clips.map((clip, i) => [`${folder}/${folder}-${i + 1}.wav`, bytesOf(clip)]);
  const plain = /^[\p{L}\p{N}_][\p{L}\p{N}_-]*$/u.test(word);
  const quoted = plain ? word : `'${word.replaceAll("'", "'\\''")}'`;
  const adding = `textapps speech add-word ${quoted} ${folder}/`;
  const commands = [`unzip ${folder}.zip`, adding, "textapps speech export"].join("\n");
  const link = element("a", { class: "button", download: `${folder}.zip`, href: "#" }, `Download ${folder}.zip`);
  link.addEventListener("click", () => {
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob(zipParts(files), { type: "application/zip" }));
  });
  return element(
    "details",
    {},
    element("summary", {}, "Keep it for good"),
    element("p", { class: "hint" }, KEEPING),
    element("pre", { tabindex: "0", role: "region", "aria-label": "Commands" }, element("code", {}, commands)),
    element("div", { class: "downloads" }, link, copyButton("Copy the commands", () => commands)),
  );
}
