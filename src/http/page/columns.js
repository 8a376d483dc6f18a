// The columns of the two tables, and the rows in the form that the columns read.

import { formatCount, formatDuration, formatOctets, formatTime } from "./format.js";
import { recentSeconds, satelliteId, uplinkId } from "./model.js";

const lossCounters = ["gaps", "missing", "duplicates", "late", "resets", "dropped"];

/** Whole seconds from a time in RFC 3339 to that of the snapshot; null if there is no time. */
const age = (time, { at_ms }) =>
  time === null ? null : Math.max(0, Math.floor((at_ms - Date.parse(time)) / 1000));

const label = (title, key) => ({
  title,
  value: (row) => row[key],
  text: (row) => (row[key] === null ? "–" : String(row[key])),
});

const figure = (title, key, format) => ({
  title,
  isAmount: true,
  value: (row) => row[key],
  text: (row) => format(row[key]),
});

/** A counter that is ideally 0. It raises an alarm while it grows. */
const lossFigure = (title, key) => ({
  ...figure(title, key, formatCount),
  mark: ({ [key]: count, growth }) => {
    if (growth[key] > 0) {
      return "growing";
    }
    return count > 0 ? "some" : "none";
  },
  hint: ({ growth }) =>
    growth[key] > 0 ? `+${formatCount(growth[key])} in the last ${recentSeconds} s` : "",
});

const stateLabel = { ...label("State", "state"), mark: ({ state }) => state };

export const satelliteColumns = [
  {
    ...label("Satellite", "satellite_id"),
    text: ({ satellite_id }) => String(satellite_id ?? "others"),
  },
  label("Channel", "channel_id"),
  stateLabel,
  figure("Last heard", "age", formatDuration),
  figure("Frames/s", "rate", formatCount),
  figure("Frames", "frames", formatCount),
  ...lossCounters.map((key) => lossFigure(key[0].toUpperCase() + key.slice(1), key)),
];

export function satelliteRows(model) {
  return model.current.satellites.rows.map((row) => {
    const id = satelliteId(row);
    const state = row.silent === null ? "–" : row.silent ? "silent" : "receiving";
    const growth = lossCounters.map(
      (key) => [key, model.growth(({ satellite }) => satellite.get(id)?.[key])]);
    return {
      ...row,
      id,
      search: `${id} ${state}`,
      data: { silent: String(row.silent) },
      state,
      age: age(row.last_seen_at, model.current),
      rate: model.rate(({ satellite }) => satellite.get(id)?.frames),
      growth: Object.fromEntries(growth),
    };
  });
}

export const uplinkColumns = [
  label("Id", "number"),
  label("Peer", "peer"),
  stateLabel,
  figure("Last frame", "age", formatDuration),
  figure("Frames/s", "rate", formatCount),
  figure("Frames", "frames", formatCount),
  figure("Bytes", "bytes", formatOctets),
  label("Listener", "listener"),
  {
    ...label("Connected since", "connected_at"),
    text: ({ connected_at }) => formatTime(connected_at),
  },
];

export function uplinkRows(model) {
  return model.current.uplinks.rows.map((row) => {
    const id = uplinkId(row);
    return {
      ...row,
      id,
      search: `${id} ${row.listener} ${row.peer} ${row.state}`,
      data: { state: row.state },
      number: row.id,
      age: age(row.last_frame_at, model.current),
      rate: model.rate(({ uplink }) => uplink.get(id)?.frames),
    };
  });
}
