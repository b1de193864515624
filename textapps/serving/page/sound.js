// Getting sound: from a file, or from the microphone. Both give mono samples at a chosen rate.

const MOST_SECONDS = 60; // more than any model takes

/** The sound in a file of any kind that the browser reads. Throws if it is longer than a minute. */
export async function readSound(file, rate_hz) {
  // A context decodes to its own rate.
  const context = new OfflineAudioContext(1, 1, rate_hz);
  let buffer;
  try {
    buffer = await context.decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new Error(`“${file.name}” is not a sound that this browser can read.`);
  }
  if (buffer.duration > MOST_SECONDS) {
    const seconds = Math.round(buffer.duration);
    throw new Error(`“${file.name}” is ${seconds} s long: choose a recording of at most ${MOST_SECONDS} s.`);
  }
  const samples = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
    const part = buffer.getChannelData(channel);
    for (let i = 0; i < samples.length; i += 1) samples[i] += part[i] / buffer.numberOfChannels;
  }
  return samples;
}

/** A running recording. */
export class Recording {
  #stream;
  #context;
  #blocks = [];

  /** Begins as soon as the user allows it; `onLevel` is told the loudest of the last moment. */
  static async begin(onLevel) {
    if (!navigator.mediaDevices) {
      throw new Error("Browsers allow the microphone only on pages from localhost or over https.");
    }
    const recording = new Recording();
    try {
      recording.#stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: false, autoGainControl: false },
      });
    } catch (error) {
      throw new Error(REFUSALS[error.name] ?? `The microphone cannot be started: ${error.message}`);
    }
    try {
      await recording.#listen(onLevel);
    } catch (error) {
      recording.cancel(); // else the microphone would stay on
      throw error;
    }
    return recording;
  }

  async #listen(onLevel) {
    this.#context = new AudioContext();
    await this.#context.audioWorklet.addModule(new URL("capture.js", import.meta.url));
    const capture = new AudioWorkletNode(this.#context, "capture", { numberOfOutputs: 0 });
    capture.port.onmessage = ({ data: blocks }) => {
      this.#blocks.push(...blocks);
      onLevel(blocks.flatMap((block) => [...block]).reduce((a, b) => Math.max(a, Math.abs(b)), 0));
    };
    this.#context.createMediaStreamSource(this.#stream).connect(capture);
  }

  /** Ends it and forgets what was heard. */
  async cancel() {
    this.#stream.getTracks().forEach((track) => track.stop());
    await this.#context.close();
  }

  /** Ends it; gives what was heard. */
  async end(rate_hz) {
    const own_hz = this.#context.sampleRate;
    await this.cancel();
    const samples = new Float32Array(this.#blocks.reduce((sum, block) => sum + block.length, 0));
    let offset = 0;
    for (const block of this.#blocks) {
      samples.set(block, offset);
      offset += block.length;
    }
    return resample(samples, own_hz, rate_hz);
  }
}

const REFUSALS = {
  NotAllowedError: "The browser's settings for this page do not allow the microphone.",
  NotFoundError: "There is no microphone.",
  NotReadableError: "The microphone is in use by another application.",
};

async function resample(samples, from_hz, to_hz) {
  if (!samples.length) throw new Error("Nothing was recorded.");
  const length = Math.max(1, Math.round((samples.length * to_hz) / from_hz));
  const context = new OfflineAudioContext(1, length, to_hz);
  const buffer = context.createBuffer(1, samples.length, from_hz);
  buffer.copyToChannel(samples, 0);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}
