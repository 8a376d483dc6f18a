// The live page: connects the stream of events, the model and the views.

import { Chart } from "./chart.js";
import { satelliteColumns, satelliteRows, uplinkColumns, uplinkRows } from "./columns.js";
import { byId } from "./dom.js";
import { ReasonList } from "./losses.js";
import { Model } from "./model.js";
import { showConnection, showFacts, showLedger, showTitle } from "./overview.js";
import { Stream } from "./stream.js";
import { Table } from "./table.js";
import { trends } from "./trends.js";

const model = new Model();

const charts = trends.map((definition) => new Chart(byId("trends"), definition));
const reasonLists = [
  new ReasonList("drops", ({ stats }) => stats.ledger.dropped),
  new ReasonList("malformed", ({ stats }) => ({ ...stats.malformed, truncated: stats.truncated })),
  new ReasonList("closed", ({ stats }) => stats.sessions.closed),
];
const satellites = new Table(byId("satellites"), "satellites", satelliteColumns);
const uplinks = new Table(byId("uplinks"), "uplinks", uplinkColumns);

function showSnapshot(snapshot) {
  model.addSnapshot(snapshot);
  showFacts(model);
  showLedger(model);
  for (const chart of charts) {
    chart.update(model.points, model.current);
  }
  for (const list of reasonLists) {
    list.update(model);
  }
  satellites.update(satelliteRows(model), model.current.satellites.total);
  uplinks.update(uplinkRows(model), model.current.uplinks.total);
}

function showState(connection) {
  showConnection(connection, model.current);
  showTitle(connection.state, model);
}

new Stream("api/v1/events", {
  history: (rows) => model.setHistory(rows),
  snapshot: showSnapshot,
}, showState);
