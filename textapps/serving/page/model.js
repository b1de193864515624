// A served model: its description and its requests.

/** A model by its name; `update` loads its description. */
export class Model {
  #server;
  #described = null;
  #pin = null;

  constructor(server, name) {
    this.#server = server;
    this.name = name;
    /** Whether the server responds. */
    this.reachable = true;
    /** The version in service, null if none is loaded. */
    this.version = null;
    /** `{ version, state, message }`, newest first. */
    this.versions = [];
    this.manifest = {};
    /** Name → `{ inputs, outputs }`, each name → `{ dtype, shape }`, -1 for a variable size. */
    this.signatures = {};
  }

  get path() {
    return this.#pin === null ? this.#base : `${this.#base}/versions/${this.#pin}`;
  }

  get #base() {
    return `v1/models/${encodeURIComponent(this.name)}`;
  }

  /** The same model in another version, which is asked as this one is. */
  pinned(version) {
    const other = new Model(this.#server, this.name);
    other.#pin = version;
    return Object.assign(other, { version, signatures: this.signatures });
  }

  /** Load the description of a pinned version. */
  async prepare() {
    if (this.#pin !== null && this.#described === null) await this.#describe(this.#pin);
  }

  get labels() {
    return this.manifest.labels ?? [];
  }

  has(...signatures) {
    return signatures.every((name) => name in this.signatures);
  }

  /** Update from the list of models; true if another version is now in service. */
  async update({ version, versions }) {
    const failed = versions.some(({ state }) => state === "END");
    const statuses = failed ? await this.#statuses() : versions;
    this.versions = statuses;
    this.version = version;
    if (version === null || version === this.#described) return false;
    await this.#describe(version);
    return true;
  }

  /** Send rows to a signature; returns the outputs of each by name. */
  async predict(instances, signature, asking) {
    const body = { signature_name: signature, instances };
    const { predictions } = await this.#server.post(`${this.path}:predict`, body, asking);
    const outputs = Object.keys(this.signatures[signature].outputs);
    return outputs.length === 1 ? predictions.map((value) => ({ [outputs[0]]: value })) : predictions;
  }

  /** Send a body unchanged; returns the response, whole numbers of any size included. */
  ask(body, asking) {
    return this.#server.post(`${this.path}:predict`, body, asking, { exact: true });
  }

  /** The pieces of a generated text. Throws the server's error if generation fails. */
  async *stream(options, asking) {
    for await (const { event, data } of this.#server.stream(`${this.path}:stream`, options, asking)) {
      if (event === "error") throw new Error(data.error);
      if (event === "done") return;
      yield data.text;
    }
    throw new Error("The text is incomplete: the server closed the connection.");
  }

  async #statuses() {
    const { model_version_status: statuses } = await this.#server.get(this.#base);
    return statuses.map(({ version, state, status }) => ({
      version,
      state,
      message: status.error_message,
    }));
  }

  async #describe(version) {
    const path = `${this.#base}/versions/${version}`;
    const [manifest, metadata] = await Promise.all([
      this.#server.get(`${path}/manifest`),
      this.#server.get(`${path}/metadata`),
    ]);
    this.manifest = manifest;
    this.signatures = signatures(metadata.metadata.signature_def.signature_def);
    this.#described = version;
  }
}

function signatures(definitions) {
  const shown = Object.entries(definitions).filter(([name]) => !name.startsWith("__"));
  return Object.fromEntries(
    shown.map(([name, { inputs, outputs }]) => [
      name,
      { inputs: tensors(inputs), outputs: tensors(outputs) },
    ]),
  );
}

function tensors(definitions = {}) {
  const described = Object.entries(definitions).map(([name, { dtype, tensor_shape: shape }]) => [
    name,
    {
      dtype: dtype.replace("DT_", "").toLowerCase(),
      shape: shape.unknown_rank ? null : (shape.dim ?? []).map(({ size }) => Number(size)),
    },
  ]);
  return Object.fromEntries(described);
}
