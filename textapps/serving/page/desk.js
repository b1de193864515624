// Where a model is asked: its inputs, examples, answers side by side, and what one does with them.

import { Asking } from "./asking.js";
import { codebox } from "./codebox.js";
import { copyButton } from "./copy.js";
import { element } from "./dom.js";
import { examples } from "./examples.js";
import { linkTo } from "./link.js";
import { past } from "./past.js";
import { Question } from "./question.js";
import { named, rivals } from "./rivals.js";
import { rowsbox } from "./rowsbox.js";

/** The elements for one model and kind; `place` has what all of the page share. */
export class Desk {
  #model;
  #kind;
  #place;
  #inputs;
  #rivals;
  #question;
  #examples = element("div", { class: "field" });
  #section = null;
  #shown = null; // the examples, as JSON

  /** `place`: `{ served(), history, locked() }`; a second desk of a panel gets no history of its own. */
  constructor(model, kind, { history = null, ...place }) {
    this.#model = model;
    this.#kind = kind;
    this.#place = { history, ...place };
    const answers = element("div", { class: "answer" });
    this.#inputs = kind.inputs(model, () => this.#question.ask());
    this.#rivals = rivals(model, kind, history ? place.served : null);
    this.#question = new Question({
      fields: [
        ...this.#inputs.elements,
        history && this.#examples,
        this.#rivals.element,
      ],
      button: this.#inputs.button,
      answer: answers,
      run: (signal) => this.#run(answers, signal),
    });
    this.#inputs.failed = (error) => this.#question.fail(error);
    this.#section = (history && kind.section?.(model, this.#inputs)) || null;
    this.parts = [...this.#question.parts, ...(history ? this.#sections(history) : [])];
  }

  /** Models or versions have come or gone. */
  update() {
    this.#rivals.update();
    this.#section?.update();
    const { data, examples: all } = this.#model.manifest;
    const known = JSON.stringify([data, all]);
    if (known === this.#shown) return;
    this.#shown = known;
    const parts = examples(this.#model, (inputs) => this.again(inputs));
    this.#examples.replaceChildren(...parts);
    this.#examples.hidden = !parts.length;
  }

  /** Put values into the form. */
  fill(values) {
    return this.#inputs.fill(values);
  }

  /** Put values into the form and ask. */
  async again(values) {
    try {
      await this.fill(values);
    } catch (error) {
      this.#question.fail(error);
      return;
    }
    this.#question.form.scrollIntoView({ block: "nearest" });
    await this.#question.ask();
  }

  /** What opens below the answer. */
  #sections(history) {
    const how = this.#kind.rows(this.#model);
    const file = how && rowsbox(this.#model, how, () => this.#inputs.values());
    const again = past(this.#model, history, (values) => this.again(values));
    return [this.#section?.element, file, again].filter(Boolean);
  }

  async #run(answers, signal) {
    const kind = this.#kind;
    const values = await this.#inputs.values();
    const targets = [this.#model, this.#rivals.chosen()].filter(Boolean);
    const sides = targets.map((target) => side(target, targets.length > 1));
    const tools = element("div", { class: "tools" });
    answers.replaceChildren(
      ...[kind.above?.(values)].filter(Boolean),
      element("div", { class: "sides" }, ...sides.map(({ whole }) => whole)),
      tools,
    );
    tools.replaceChildren(...this.#tools(values));
    const version = this.#model.version;
    const asked = sides.map((one) => one.ask(kind, values, signal));
    const outcomes = await Promise.allSettled(asked);
    const [{ status, value, reason }] = outcomes;
    if (signal.aborted && status === "rejected") throw reason;
    if (status === "fulfilled") {
      this.#place.history?.add({
        model: this.#model.name,
        version,
        values: kind.kept?.(values) ?? values,
        input: this.#inputs.brief(values),
        answer: value.summary.slice(0, 1000),
        time: new Date().toISOString(),
      });
    }
    if (targets.length === 1 && status === "rejected") throw reason;
    const spoken = outcomes.map((one) => one.value?.summary ?? one.reason.message);
    this.#question.say(spoken.join("; "));
    await Promise.all(outcomes.map((one) => one.value?.rest?.()));
    return targets.length === 1 ? value.took : "";
  }

  /** What one does with an answer. */
  #tools(values) {
    const kind = this.#kind;
    const requests = kind.requests(this.#model, values).map(({ action, ...request }) => ({
      ...request,
      url: new URL(`${this.#model.path}:${action}`, document.baseURI).href,
      locked: this.#place.locked(),
    }));
    const link = copyButton("Copy a link to this input", () => linkTo(this.#model.name, values));
    return [codebox(requests), ...(kind.linkable === false ? [] : [link])];
  }
}

/** The answer of one model; with a heading and its own errors if there are several. */
function side(target, several) {
  const place = element("div", { class: "result" });
  const took = element("span", { class: "took" });
  const error = element("p", { class: "error" });
  const head = element("header", {}, element("h3", {}, element("bdi", {}, named(target))), took);
  const whole = several ? element("article", { class: "side" }, head, place, error) : place;
  async function ask(kind, values, signal) {
    const asking = new Asking(signal);
    try {
      await target.prepare();
      const found = await kind.answer(target, values, place, asking);
      const words = found.took ?? asking.took;
      took.textContent = words;
      return { ...found, took: words };
    } catch (reason) {
      error.textContent = signal.aborted ? "stopped" : reason.message;
      throw reason;
    }
  }
  return { whole, ask };
}
