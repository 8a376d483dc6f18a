// The head of the page: connection, what is open, what is silent; the ledger; and the title.

import { byId, setData, setNotice, setText } from "./dom.js";
import {
  formatCount, formatDuration, formatFrameRate, formatOctets, formatShare, formatTimeOfDay,
} from "./format.js";
import { droppedIn } from "./model.js";

const mostSilentShown = 20;

/** The state of the connection; `current` is the latest snapshot, if there was one. */
export function showConnection({ state, word, silentSeconds }, current) {
  const isStale = state === "stale";
  setData(byId("connection"), "state", state);
  setText(byId("connection-word"), word);
  setText(byId("connection-detail"), connectionDetail(state, silentSeconds, current));
  setData(byId("main"), "stale", String(isStale));
  // The text has no figure that keeps changing, so that a screen reader announces it only once.
  setNotice(byId("stale-warning"), isStale ? staleWarning(current) : "");
}

function connectionDetail(state, silentSeconds, current) {
  if (state === "stale") {
    return `for ${formatDuration(silentSeconds)}`;
  }
  return state === "live" && current ? formatTimeOfDay(current.at) : "";
}

function staleWarning(current) {
  return current
    ? `▲ Stale: the daemon has sent nothing since ${formatTimeOfDay(current.at)}. ` +
        "All figures are from that time."
    : "▲ The daemon does not answer.";
}

export function showFacts(model) {
  const { version, stats, silence, satellites } = model.current;
  setText(byId("version"), version);
  setText(byId("uptime"), formatDuration(stats.uptime_s));
  setText(byId("uplinks-open"), formatCount(stats.sessions.open) + heldNote(model.current));
  setText(byId("satellite-count"), formatCount(satellites.total));
  setFact("silent-count", silence.count, silence.after_s === null ? "not watched" : undefined);
  setFact("dropped-recently", model.growth(droppedIn));
  setText(byId("channel-length"),
          `${formatCount(stats.channel.length)} of ${formatCount(stats.channel.capacity)}`);
  setNotice(byId("silence"), silenceNotice(silence));
}

/** Shows a figure that raises an alarm unless it is zero. */
function setFact(id, count, text = formatCount(count)) {
  setText(byId(id), count > 0 ? `▲ ${text}` : text);
  setData(byId(id), "value", String(count));
  setData(byId(id), "alarm", String(count > 0));
}

function heldNote({ uplinks }) {
  const held = uplinks.rows.filter(({ state }) => state === "held").length;
  const isPartial = uplinks.total > uplinks.rows.length;
  return held > 0 ? `, ${formatCount(held)}${isPartial ? "+" : ""} held` : "";
}

function silenceNotice({ after_s, count, satellite_ids }) {
  if (count === 0) {
    return "";
  }
  const shown = satellite_ids.slice(0, mostSilentShown);
  const more = count > shown.length ? ` and ${formatCount(count - shown.length)} more` : "";
  const what = count === 1 ? "1 satellite" : `${formatCount(count)} satellites`;
  return `● ${what} silent for more than ${formatDuration(after_s)}: ${shown.join(", ")}${more}`;
}

/** Whether received = buffered + leased + delivered + drained + flushed + dropped. */
function balances({ received, buffered, leased, delivered, drained, flushed }, dropped) {
  // The check is exact up to 2^50. Larger numbers may have been rounded when they were parsed.
  const allowed = received * 4 * Number.EPSILON;
  return Math.abs(received - (buffered + leased + delivered + drained + flushed + dropped)) <= allowed;
}

export function showLedger(model) {
  const { ledger, buffer } = model.current.stats;
  const dropped = droppedIn(model.current);
  const rates = model.points.at(-1)?.rates;
  const share = (n) => `${formatShare(n, ledger.received)} of received`;
  setFigure("received", ledger.received, formatFrameRate(rates?.received ?? null));
  setFigure("buffered", ledger.buffered, formatOctets(buffer.bytes));
  byId("term-leased").hidden = ledger.leased === 0;
  setFigure("leased", ledger.leased, share(ledger.leased));
  byId("term-delivered").hidden = ledger.delivered === 0;
  setFigure("delivered", ledger.delivered, share(ledger.delivered));
  setFigure("drained", ledger.drained, share(ledger.drained));
  setFigure("flushed", ledger.flushed, share(ledger.flushed));
  setFigure("dropped", dropped, share(dropped));
  setData(byId("figure-dropped"), "alarm", String(dropped > 0));

  const balanced = balances(ledger, dropped);
  setData(byId("ledger"), "balanced", String(balanced));
  setText(byId("balance"), balanced ? "✓ balances" : "✗ does not balance");
}

function setFigure(name, count, note) {
  const figure = byId(`figure-${name}`);
  setText(figure, formatCount(count));
  setData(figure, "value", String(count));
  setText(byId(`note-${name}`), note);
}

/** Problems come first in the title, since a tab shows only its beginning. */
export function showTitle(state, model) {
  const alarms = state === "stale" ? ["stale"] : [];
  if (model.current) {
    const { silence } = model.current;
    if (byId("ledger").dataset.balanced === "false") {
      alarms.push("not balanced");
    }
    if (silence.count > 0) {
      alarms.push(`${formatCount(silence.count)} silent`);
    }
    if (model.growth(droppedIn) > 0) {
      alarms.push("dropping");
    }
  }
  const title = alarms.length > 0 ? `● ${alarms.join(", ")} – Meridian` : "Meridian";
  if (document.title !== title) {
    document.title = title;
  }
}
