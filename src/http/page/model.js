// What the page knows: five minutes of the daemon's counters, and the snapshots of the last ten
// seconds, which tell recent growth from old counts.

export const historySeconds = 300;
export const recentSeconds = 10;

// A snapshot right after the history would give a rate over almost no time.
const leastSeconds = 0.5;

const sum = (counts) => Object.values(counts).reduce((total, n) => total + n, 0);

export const droppedIn = (snapshot) => sum(snapshot.stats.ledger.dropped);

export const uplinkId = (row) => String(row.id);

/** The id of a row, such as "17/0". The row of all origins that are not tracked is "others". */
export const satelliteId = (row) =>
  row.satellite_id === null ? "others" : `${row.satellite_id}/${row.channel_id}`;

const indexed = (rows, idOf) => new Map(rows.map((row) => [idOf(row), row]));

function withIndexes(snapshot) {
  return {
    ...snapshot,
    at_ms: Date.parse(snapshot.at),
    uplink: indexed(snapshot.uplinks.rows, uplinkId),
    satellite: indexed(snapshot.satellites.rows, satelliteId),
  };
}

function pointOfHistory([at, received, octets, drained, , dropped, depth, depthOctets]) {
  return { at, received, octets, drained, dropped, depth, depthOctets };
}

function pointOfSnapshot(snapshot) {
  const { ledger, buffer } = snapshot.stats;
  return {
    at: snapshot.at_ms,
    received: ledger.received,
    octets: snapshot.received_bytes,
    drained: ledger.drained,
    dropped: droppedIn(snapshot),
    depth: buffer.frames,
    depthOctets: buffer.bytes,
  };
}

function ratesBetween(before, now) {
  const seconds = (now.at - before.at) / 1000;
  // `drained` may fall without a restart: a drain that fails puts its frames back.
  const rate = (counter) => Math.max(0, now[counter] - before[counter]) / seconds;
  return {
    received: rate("received"),
    octets: rate("octets"),
    drained: rate("drained"),
    dropped: rate("dropped"),
  };
}

export class Model {
  #points = [];
  #snapshots = [];

  /** Points `{at, depth, depthOctets, rates, …}`, the oldest first; the first has no rates. */
  get points() {
    return this.#points;
  }

  /** The latest snapshot; undefined before the first. */
  get current() {
    return this.#snapshots.at(-1);
  }

  setHistory(rows) {
    this.#points = [];
    this.#snapshots = [];
    for (const row of rows) {
      this.#addPoint(pointOfHistory(row));
    }
  }

  addSnapshot(data) {
    const snapshot = withIndexes(data);
    const since = snapshot.at_ms - recentSeconds * 1000;
    // The daemon has restarted, or its clock was set back.
    const isNewRecord = snapshot.stats.ledger.received < this.current?.stats.ledger.received ||
      snapshot.at_ms < this.current?.at_ms;
    this.#snapshots = isNewRecord ? [] : this.#snapshots.filter(({ at_ms }) => at_ms >= since);
    this.#snapshots.push(snapshot);
    this.#addPoint(pointOfSnapshot(snapshot));
  }

  /** How much a counter has grown in the last ten seconds; `read` finds it in a snapshot. */
  growth(read) {
    const now = read(this.current);
    // A row that has appeared since then is compared with its own first appearance.
    const first = this.#snapshots.find((snapshot) => read(snapshot) !== undefined);
    return first ? Math.max(0, now - read(first)) : 0;
  }

  /** The growth per second since the previous snapshot; null if there is none to compare with. */
  rate(read) {
    const before = this.#snapshots.at(-2);
    const grown = before ? read(this.current) - read(before) : NaN;
    const seconds = before ? (this.current.at_ms - before.at_ms) / 1000 : 0;
    return grown >= 0 && seconds > 0 ? grown / seconds : null;
  }

  #addPoint(point) {
    const last = this.#points.at(-1);
    if (last && (point.received < last.received || point.at < last.at)) {
      this.#points = [];  // the daemon has restarted, or its clock was set back
    } else if (last && point.at - last.at < leastSeconds * 1000) {
      return;
    }
    const before = this.#points.at(-1);
    const since = point.at - historySeconds * 1000;
    this.#points = this.#points.filter(({ at }) => at >= since);
    this.#points.push({ ...point, rates: before ? ratesBetween(before, point) : null });
  }
}
