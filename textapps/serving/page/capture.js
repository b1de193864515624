// Runs where sound is processed: hands on what the microphone hears, a few blocks at a time.

class Capture extends AudioWorkletProcessor {
  #blocks = [];

  process([[channel]]) {
    if (channel) this.#blocks.push(channel.slice());
    if (this.#blocks.length === 16) this.port.postMessage(this.#blocks.splice(0));
    return true;
  }
}

registerProcessor("capture", Capture);
