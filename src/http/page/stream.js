// The connection to the daemon, and whether its last figures are still up to date.

const staleAfterMs = 3000;
// A browser reconnects on its own when a connection breaks, but not after a refusal, and not when
// the other side has silently vanished. After this long without an event, the page reconnects.
const reopenAfterMs = 5000;
const checkEveryMs = 500;

export class Stream {
  #url;
  #handlers;
  #onState;
  #source;
  #openedAt;
  #heardAt = performance.now();
  #isLive = false;
  #wasLive = false;

  /**
   * Calls `handlers[name](data)` for each event, and `onState({state, word, silentSeconds})` at
   * each change and twice a second; state is "live", "waiting" or "stale".
   */
  constructor(url, handlers, onState) {
    this.#url = url;
    this.#handlers = handlers;
    this.#onState = onState;
    this.#open();
    setInterval(() => this.#check(), checkEveryMs);
  }

  #open() {
    this.#source?.close();
    this.#source = new EventSource(this.#url);
    this.#openedAt = performance.now();
    this.#isLive = false;
    for (const [name, handle] of Object.entries(this.#handlers)) {
      this.#source.addEventListener(name, (event) => this.#hear(handle, event.data));
    }
    this.#source.addEventListener("error", () => {
      this.#isLive = false;
      this.#tell();
    });
  }

  #hear(handle, data) {
    handle(JSON.parse(data));
    this.#heardAt = performance.now();
    this.#isLive = true;
    this.#wasLive = true;
    this.#tell();
  }

  #check() {
    if (performance.now() - Math.max(this.#heardAt, this.#openedAt) >= reopenAfterMs) {
      this.#open();
    }
    this.#tell();
  }

  #tell() {
    const silentMs = performance.now() - this.#heardAt;
    const silentSeconds = silentMs / 1000;
    if (silentMs >= staleAfterMs) {
      const isOpen = this.#source.readyState === EventSource.OPEN;
      this.#onState({ state: "stale", word: isOpen ? "No data" : "Daemon gone", silentSeconds });
    } else if (this.#isLive) {
      this.#onState({ state: "live", word: "Live", silentSeconds });
    } else {
      const word = this.#wasLive ? "Reconnecting" : "Connecting";
      this.#onState({ state: "waiting", word, silentSeconds });
    }
  }
}
