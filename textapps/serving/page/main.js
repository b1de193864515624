// The page: one panel per served model, kept up to date.

import { element } from "./dom.js";
import { History } from "./history.js";
import { read } from "./link.js";
import { Model } from "./model.js";
import { count } from "./numbers.js";
import { Panel } from "./panel.js";
import { NoAnswer, Server } from "./server.js";

const LOOK_EVERY_MS = 4000;

const byId = (id) => document.getElementById(id);
const server = new Server(askForToken, () => setTimeout(look));
const served = new Map(); // name → { model, panel, item }
const place = {
  served: () => names().map((name) => served.get(name).model),
  history: new History(),
  locked: () => server.locked,
};
let looking = false;
let shown = null; // the name of the model whose panel is visible
let filled = null; // the fragment whose values are in a form

/** Get the list of models and show it. */
async function look() {
  if (looking) return;
  looking = true;
  try {
    await server.lives();
    const { models } = await server.get("v1/models");
    for (const name of served.keys()) {
      if (!models.some((listed) => listed.name === name)) remove(name);
    }
    await Promise.all(models.map(take));
    reach(true);
    summarise();
    notice(null);
  } catch (error) {
    if (error instanceof NoAnswer) reach(false);
    notice(error instanceof NoAnswer ? `${error.message} The page tries again every few seconds.` : error.message);
  } finally {
    looking = false;
  }
}

/** Whether the server responds: what is shown as serving must be. */
function reach(reachable) {
  for (const { model, panel } of served.values()) {
    model.reachable = reachable;
    panel.update();
  }
}

/** Add or update a model of the server's list. */
async function take(listed) {
  const known = served.get(listed.name);
  const { model, panel } = known ?? add(listed.name);
  let changed = false;
  try {
    changed = await model.update(listed);
  } catch (error) {
    if (error.status !== 404) throw error; // unloaded since the list was made
  }
  panel.update();
  if (changed && known) say(`${model.name}: version ${model.version} is now serving`);
}

function add(name) {
  const model = new Model(server, name);
  const panel = new Panel(model, place);
  const item = element("li", {}, panel.link);
  served.set(name, { model, panel, item });
  const next = names()[names().indexOf(name) + 1];
  byId("models").insertBefore(item, served.get(next)?.item ?? null);
  byId("panels").insertBefore(panel.element, served.get(next)?.panel.element ?? null);
  return served.get(name);
}

function names() {
  return [...served.keys()].sort();
}

function remove(name) {
  const { panel, item } = served.get(name);
  served.delete(name);
  panel.element.remove();
  item.remove();
  say(`${name} is no longer served`);
}

function summarise() {
  const empty = byId("empty");
  empty.hidden = served.size > 0;
  empty.textContent = "No model is served yet. Exported models appear here automatically.";
  byId("summary").textContent = `${count(served.size, "model")} at ${location.host}`;
  choose();
}

/** Show the model in the address, or else the first one, and the input that a link carries. */
function choose() {
  const { name, values } = read(location.hash);
  const chosen = served.has(name) ? name : names()[0];
  if (values && chosen === name && filled !== location.hash) {
    filled = location.hash;
    served.get(name).panel.fill(values);
  }
  if (chosen === shown) return;
  shown = chosen;
  for (const [each, { panel }] of served) panel.show(each === chosen);
  document.title = chosen ? `${chosen} – textapps` : "textapps";
}

/** Announce a change to screen readers. */
function say(words) {
  byId("news").textContent = words;
}

function notice(words) {
  const here = byId("notice");
  if (here.textContent !== (words ?? "")) here.textContent = words ?? "";
  here.hidden = words === null;
}

/** Resolves to the token that the user enters. */
function askForToken(wrong) {
  const form = byId("token-form");
  byId("token-error").textContent = wrong ? "The server does not accept this token." : "";
  byId("empty").hidden = true;
  form.hidden = false;
  byId("token").select();
  byId("token").focus();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      form.hidden = true;
      resolve(byId("token").value.trim());
    };
  });
}

byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment of the address names a model
  served.get(shown)?.panel.focus();
});
addEventListener("hashchange", choose);
document.addEventListener("visibilitychange", () => document.hidden || look());
setInterval(() => document.hidden || look(), LOOK_EVERY_MS);
look();
